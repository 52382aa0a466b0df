"""One PostgreSQL server for all tests of a session, with the system's binaries, as an ordinary user.

The processes of a parallel session share it: the first that needs it starts it, the last that used it stops it.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_PREFIX = "clipform-pg-"
SETTINGS = {
    **{"listen_addresses": "", "max_connections": "100", "shared_buffers": "16MB", "max_wal_size": "64MB"},
    **{"min_wal_size": "32MB", "autovacuum": "off", "log_min_messages": "fatal"},
}


def binaries() -> Path | None:
    """Return the folder of initdb and pg_ctl; None where PostgreSQL is not installed. Debian has it in no PATH."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).parent] if on_path else [*Path("/usr/lib/postgresql").glob("*/bin")]
    folders.sort(key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0)
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


@contextmanager
def server(shared: Path) -> Iterator[str | None]:
    """Yield the address of the session's server, None where it is not installed. `shared`: a folder of the session."""
    folder = binaries()
    if folder is None:
        yield None
        return
    address = shared / "postgres.address"
    with open(shared / "postgres.turn", "w") as turn, open(shared / "postgres.users", "w") as users:
        fcntl.flock(turn, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        if not address.exists():
            address.write_text(str(_start(folder)))
        data = Path(address.read_text())
        fcntl.flock(turn, fcntl.LOCK_UN)
        try:
            yield f"postgresql://clipform@/postgres?host={data}"
        finally:
            fcntl.flock(turn, fcntl.LOCK_EX)
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # another process of the session uses it
            else:
                address.unlink()
                _stop(folder, data)


@dataclass
class Standby:
    """A server that receives what another one commits, a moment later. Its socket is in its folder."""

    binaries: Path
    data: Path

    @property
    def url(self) -> str:
        """Its address."""
        return f"postgresql://clipform@/postgres?host={self.data}"

    def receive_nothing(self) -> None:
        """Cut it off from the server that it follows."""
        with open(self.data / "postgresql.auto.conf", "a", encoding="utf-8") as settings:
            settings.write("primary_conninfo = ''\n")
        _run(self.binaries / "pg_ctl", "stop", "-m", "fast", "-D", str(self.data))
        _serve(self.binaries, self.data)

    def promote(self) -> None:
        """Make it a server of its own."""
        _run(self.binaries / "pg_ctl", "promote", "-w", "-D", str(self.data))

    def restart(self) -> None:
        """Kill it and start it again, as after a power cut."""
        _run(self.binaries / "pg_ctl", "stop", "-m", "immediate", "-D", str(self.data))
        _serve(self.binaries, self.data)


@contextmanager
def standby(url: str) -> Iterator[Standby]:
    """Yield an asynchronous standby of a server of `server`, which has all that was committed until now."""
    folder = binaries()
    assert folder is not None
    tool = (folder / "initdb").resolve().with_name("pg_basebackup")
    if not tool.exists():
        pytest.skip("NOT RUN with a real standby: pg_basebackup was not found beside initdb")
    data = _folder(folder)
    origin = ("-h", url.partition("host=")[2], "-U", "clipform")
    try:
        _run(tool, *origin, "-D", str(data), "-R", "-c", "fast", "--no-sync")
        (data / ".s.PGSQL.5432.lock").unlink()  # of the other one, whose socket is in the folder that was copied
        _serve(folder, data)
        yield Standby(folder, data)
    finally:
        with suppress(AssertionError):  # it did not start
            _stop(folder, data)
        shutil.rmtree(data, ignore_errors=True)


def _stop(folder: Path, data: Path) -> None:
    _run(folder / "pg_ctl", "stop", "-m", "immediate", "-D", str(data))
    shutil.rmtree(data, ignore_errors=True)


def _start(folder: Path) -> Path:
    """Make a cluster and start its server. Synced: `fsync=off` is refused."""
    data = _folder(folder)
    _run(folder / "initdb", "-D", str(data), "-U", "clipform", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    _serve(folder, data)
    return data


def _folder(folder: Path) -> Path:
    """Return an empty folder for a cluster, in memory if there is room."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 1 << 30
    home = memory if roomy else Path(tempfile.gettempdir())
    _sweep(folder, home)
    session = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    data = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{session}-", dir=home))
    if (identity := _identity()) is not None:
        os.chown(data, identity.pw_uid, identity.pw_gid)
    return data


def _serve(folder: Path, data: Path) -> None:
    """Start the server of a cluster, whose socket is in the same folder."""
    settings = [f"-c {name}='{value}'" for name, value in (SETTINGS | {"unix_socket_directories": str(data)}).items()]
    log = str(data / "server.log")
    _run(folder / "pg_ctl", "start", "-w", "-D", str(data), "-l", log, "-o", " ".join(settings))


def _sweep(folder: Path, home: Path) -> None:
    """Stop servers whose session was killed."""
    for data in home.glob(f"{_PREFIX}*-*"):
        session = data.name.removeprefix(_PREFIX).partition("-")[0]
        if session.isdigit() and not Path(f"/proc/{session}").exists() and Path("/proc/self").exists():
            with suppress(AssertionError):  # it had stopped already
                _stop(folder, data)
            shutil.rmtree(data, ignore_errors=True)


def _identity() -> pwd.struct_passwd | None:
    """Return whom the server runs as; None: ourselves. It refuses to run as root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _run(*words: str | Path) -> None:
    identity, who = _identity(), dict[str, Any]()
    if identity is not None:
        who = {"user": identity.pw_uid, "group": identity.pw_gid, "extra_groups": []}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    done = subprocess.run(
        list(map(str, words)), cwd="/", env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, **who,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
