"""A few worker processes, and calls that are handed to whichever is free.

Not `concurrent.futures`: its pool is broken for all callers when one process dies, cannot stop one call, and starts
children by importing the caller's main program again. Here a dead worker fails its own call only, and the next call
starts a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from reconciler.diagnostics import MediaError

_SILENCE: Final = 300.0
"""Seconds without a word after which a call is given up; a worker reports every frame that it encodes."""

_DRAWING: Final = "reconciler.media.draft.job:prepare"

_PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP")

Heard = Callable[[int, int], None]
"""Told of progress: how much is done, and of how much."""


class _Silent(MediaError):
    """The worker died before it said a word."""


class WorkerPool:
    """At most `size` workers, started when needed, kept for the next call."""

    def __init__(self, size: int | None = None) -> None:
        self._places = asyncio.Semaphore(size or _cores())
        self._idle: list[asyncio.subprocess.Process] = []
        self._leaving: set[asyncio.Task[object]] = set()

    async def call(self, function: str, args: Sequence[object], heard: Heard | None = None) -> object:
        """What a function of `reconciler.media` returns in a worker; `MediaError` also when the worker dies."""
        order = {"call": function, "args": list(args), "progress": heard is not None}
        async with self._places:
            worker = self._awake()
            try:
                reply = await self._ask(worker or await _start(), order, heard)
            except _Silent:
                if worker is None:
                    raise
                reply = await self._ask(await _start(), order, heard)  # the one that waited had died meanwhile
        if "error" in reply:
            raise MediaError(str(reply["error"]), help=str(reply["help"]), code=str(reply["code"]))
        return reply["result"]

    async def _ask(self, worker: asyncio.subprocess.Process, order: object, heard: Heard | None) -> dict[str, object]:
        try:
            reply = await _converse(worker, order, heard)
        except BaseException:
            # Cancelled, dead or silent: in each case nobody knows what it would say next.
            self._dismiss(worker)
            raise
        self._idle.append(worker)
        return reply

    def _awake(self) -> asyncio.subprocess.Process | None:
        """One that waits; the system may have ended some meanwhile."""
        while self._idle:
            worker = self._idle.pop()
            if worker.returncode is None and worker.stdout is not None and not worker.stdout.at_eof():
                return worker
            self._dismiss(worker)
        return None

    async def rest(self, spare: int) -> None:
        """Keep this many workers, ready to draw, and let the others go; no call may be under way."""
        ready: list[asyncio.subprocess.Process] = []
        while len(ready) < spare and (worker := self._awake()) is not None:
            ready.append(worker)
        while self._idle:
            self._dismiss(self._idle.pop())
        with contextlib.suppress(OSError):  # no more processes to be had: whoever needs one tells
            while len(ready) < spare:
                ready.append(await _start(_DRAWING))
        self._idle = ready

    def _dismiss(self, worker: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        leaving: asyncio.Task[object] = asyncio.ensure_future(worker.communicate())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def aclose(self) -> None:
        """End all workers that are idle and wait for those that were dismissed; calls must have ended before."""
        while self._idle:
            self._dismiss(self._idle.pop())
        await asyncio.gather(*self._leaving, return_exceptions=True)


async def _start(*prepared: str) -> asyncio.subprocess.Process:
    """A worker in a process group of its own, so that the terminal's Ctrl-C does not reach it. `prepared` names what it
    does before it is called."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # never import from the working directory: it is the user's project
        "-m",
        "reconciler.media.worker",
        *prepared,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
        process_group=0,
    )


def _environment() -> dict[str, str]:
    """Little more than where this package is: a process that decodes foreign bytes needs no credentials."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUTF8": "1"}


async def _converse(worker: asyncio.subprocess.Process, order: object, heard: Heard | None) -> dict[str, object]:
    """Give one order and listen until it is answered."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    said = False
    try:
        worker.stdin.write(json.dumps(order).encode() + b"\n")
        await worker.stdin.drain()
        while True:
            async with asyncio.timeout(_SILENCE):
                line = await worker.stdout.readline()
            if not line.endswith(b"\n"):
                raise (MediaError if said else _Silent)(
                    "the media worker died", help="Out of memory? Try a smaller resolution."
                )
            said = True
            reply: dict[str, object] = json.loads(line)
            match reply.get("progress"):
                case [int(done), int(of)] if heard:
                    heard(done, of)
                case _:
                    return reply
    except (ConnectionError, TimeoutError, ValueError) as error:
        kind = MediaError if said or not isinstance(error, ConnectionError) else _Silent
        raise kind(f"the media worker gave no answer: {error or type(error).__name__}") from error


def _cores() -> int:
    """One worker a core that we may use; each encodes with one thread."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(8, available)
