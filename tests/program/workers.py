"""Media workers that begin in milliseconds: processes of the real `reconciler.media.worker`, forked by the server."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from reconciler.media import worker_pool
from tests.program.start import Forked

WORKER = "reconciler.media.worker:main"
FRESH = worker_pool._start
"""Starts a worker as the program does."""


class Worker:
    """What a pool asks of `asyncio.subprocess.Process`."""

    def __init__(self, child: Forked, stdout: asyncio.StreamReader, stdin: asyncio.StreamWriter) -> None:
        self._child, self.stdout, self.stdin = child, stdout, stdin
        self.pid, self.kill = child.pid, child.kill

    @property
    def returncode(self) -> int | None:
        return self._child.poll()

    async def communicate(self) -> None:
        """Until its end."""
        self.stdin.close()
        await asyncio.to_thread(self._child.wait)
        with suppress(ConnectionError):
            await self.stdin.wait_closed()


async def _start(*prepared: str) -> Any:
    ours, theirs = socket.socketpair()
    with theirs:
        streams: dict[str, Any] = {"stdin": theirs, "stdout": theirs, "stderr": subprocess.DEVNULL}
        child = Forked(prepared, call=WORKER, env=worker_pool._environment(), start_new_session=True, **streams)
    return Worker(child, *await asyncio.open_unix_connection(sock=ours))


@contextmanager
def forked() -> Iterator[None]:
    """Let the pools of this process start such workers, where the system has handles of processes."""
    if hasattr(os, "pidfd_open"):
        worker_pool._start = cast(Any, _start)
    try:
        yield
    finally:
        worker_pool._start = FRESH
