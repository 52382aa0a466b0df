"""A PgBouncer in transaction mode before a PostgreSQL server of `postgres.server`."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def pooler(url: str, folder: Path) -> Iterator[str]:
    """Yield the address of a pooler that gives four connections to all its clients."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("NOT RUN behind a pooler: apt-get install pgbouncer")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = folder / "pooler.ini"
    settings.write_text(
        f"[databases]\npostgres = host={url.partition('host=')[2]} dbname=postgres user=clipform\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        "pool_mode = transaction\ndefault_pool_size = 4\nmax_client_conn = 100\nlog_connections = 0\n"
        "log_disconnections = 0\nlog_stats = 0\n"
    )
    who = {"user": pwd.getpwnam("nobody").pw_uid} if os.geteuid() == 0 else {}
    command = [program, "-q", f"/proc/self/fd/{os.open(settings, os.O_RDONLY)}"]
    fd = int(command[-1].rpartition("/")[2])
    process = subprocess.Popen(
        command, cwd="/", pass_fds=(fd,), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **who
    )
    try:
        for _ in range(2000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, process.stderr and process.stderr.read().decode()
        yield f"postgresql://clipform@127.0.0.1:{port}/postgres?sslmode=disable"
    finally:
        os.close(fd)
        process.terminate()
        process.communicate()
