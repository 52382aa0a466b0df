"""The client of `start`: starts processes under test in milliseconds, waits for them, signals them, reads their log."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PATIENCE = 100.0
"""Seconds after which a process that should have ended has hung (I13)."""


class Hung(Exception):
    """A process did not end in time. It is killed."""


@dataclass(slots=True)
class Process:
    """One process under test."""

    launcher: Launcher
    name: str
    pid: int
    out: Path
    err: Path
    log: Path
    status: int | None = None
    handle: int = field(default=-1, repr=False)

    def signal(self, number: int) -> None:
        """Send it a signal, if it still runs. The handle is of this very process, whatever became of its number."""
        if self.handle >= 0 and self.status is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.handle, number)

    def until_stopped(self) -> None:
        """Wait until it has stopped itself. Raises Hung."""
        for _ in range(3000):
            if _state(self.pid) == "T":
                return
            select.select([], [], [], 0.01)  # nobody is told of another's stop
        raise Hung(f"{self.name} did not come as far as its stop")

    def until_said(self, text: str) -> None:
        """Wait until it has written a text, or has ended, or half a minute has passed."""
        for _ in range(3000):
            if text in self.said() or self.status is not None:
                return
            self.launcher.until(lambda: self.status is not None, 0.01)

    def wait(self, seconds: float = PATIENCE) -> int:
        """Its exit code, negative for a signal. Raises Hung."""
        if self.status is None:
            self.launcher.until(lambda: self.status is not None, seconds)
        if self.status is None:
            self.signal(signal.SIGKILL)
            self.launcher.until(lambda: self.status is not None, seconds)
            raise Hung(f"{self.name} did not end within {seconds:g} s")
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1
        return self.status

    @property
    def points(self) -> list[str]:
        """The points that it passed."""
        return [line[2:] for line in self._lines() if line.startswith("p ")]

    @property
    def broken(self) -> list[str]:
        """What the witness saw."""
        return [line[2:] for line in self._lines() if line.startswith("v ")]

    def _lines(self) -> list[str]:
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []

    def said(self) -> str:
        """What it wrote to both streams."""
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in (self.out, self.err))


class Launcher:
    """A running `start`."""

    def __init__(self, server: subprocess.Popen[bytes]) -> None:
        self._server = server
        self._running: dict[str, Process] = {}
        self._pending = b""
        self._count = 0

    def start(self, folder: Path, args: Sequence[str], env: Mapping[str, str], cwd: Path, **more: Any) -> Process:
        """Begin a process. `folder` is where its streams and its log go; `more` goes into the order."""
        self._count += 1
        name = f"{self._count}"
        out, err, log = (folder / f"{name}.{kind}" for kind in ("out", "err", "log"))
        order = {"id": name, "args": list(args), "cwd": str(cwd), "env": dict(env), "out": str(out), "err": str(err)}
        process = self._running[name] = Process(self, name, 0, out, err, log)
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps({**order, "log": str(log), **more}).encode() + b"\n")
        self._server.stdin.flush()
        self.until(lambda: process.pid != 0, PATIENCE)
        return process

    def until(self, enough: Any, seconds: float) -> None:
        """Take in answers until that is so, or nothing comes for so long."""
        assert self._server.stdout is not None
        while not enough():
            if not select.select([self._server.stdout], [], [], seconds)[0]:
                return
            data = os.read(self._server.stdout.fileno(), 1 << 16)
            if not data:
                raise Hung("the starter of processes is gone")
            *lines, self._pending = (self._pending + data).split(b"\n")
            for line in lines:
                self._heard(json.loads(line))

    def _heard(self, answer: Mapping[str, Any]) -> None:
        process = self._running[answer["id"]]
        if "pid" in answer:
            process.pid = answer["pid"]
            with suppress(ProcessLookupError):  # it may have ended already
                process.handle = os.pidfd_open(process.pid)
        else:
            process.status = answer["status"]
            del self._running[answer["id"]]


@contextmanager
def launcher() -> Iterator[Launcher]:
    """A starter of processes, ended with the block."""
    command = [sys.executable, "-m", "tests.reliability.processes.start"]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        try:
            yield Launcher(server)
        finally:
            assert server.stdin is not None
            server.stdin.close()
            server.wait(PATIENCE)


def survivors(session: int, seconds: float = 10.0) -> list[int]:
    """Processes of a session that are still at work after so long. They are killed."""
    found = []
    for pid in _members(session):
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            try:
                if not select.select([handle], [], [], seconds)[0]:
                    found.append(pid)
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
            finally:
                os.close(handle)
    return found


def _state(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def _members(session: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state, *_, sid = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
                if int(sid) == session and state != "Z":
                    yield int(entry.name)
