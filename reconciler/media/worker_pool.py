"""A few worker processes; each call goes to a free one.

Not `concurrent.futures`: its pool breaks for all callers when one process dies, cannot stop one call, and starts
children by importing the caller's main program again. Here a dead worker fails only its own call.
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

_TIMEOUT: Final = 300.0
"""Seconds without output after which a call fails; a worker reports every frame that it encodes."""

_PREPARE_DRAWING: Final = "reconciler.media.draft.job:prepare"

_PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP")

Worker = asyncio.subprocess.Process
OnProgress = Callable[[int, int], None]
"""Called with the work done and the total."""


class _DiedSilently(MediaError):
    """The worker died before it sent anything."""


class WorkerPool:
    """At most `size` workers, started when needed and reused."""

    def __init__(self, size: int | None = None) -> None:
        self._slots = asyncio.Semaphore(size or _cores())
        self._idle: list[Worker] = []
        self._stopping: set[asyncio.Task[object]] = set()

    async def call(self, function: str, args: Sequence[object], on_progress: OnProgress | None = None) -> object:
        """Return a result of a function of `reconciler.media` in a worker. Raises MediaError, also if it dies."""
        order = {"call": function, "args": list(args), "progress": on_progress is not None}
        async with self._slots:
            worker = self._idle_worker()
            try:
                reply = await self._ask(worker or await _start(), order, on_progress)
            except _DiedSilently:
                if worker is None:
                    raise
                reply = await self._ask(await _start(), order, on_progress)  # the idle worker had died meanwhile
        if "error" in reply:
            raise MediaError(str(reply["error"]), help=str(reply["help"]), code=str(reply["code"]))
        return reply["result"]

    async def _ask(self, worker: Worker, order: object, on_progress: OnProgress | None) -> dict[str, object]:
        try:
            reply = await _exchange(worker, order, on_progress)
        except BaseException:
            # Cancelled, dead or silent: its next output would be unrelated to the next call.
            self._stop(worker)
            raise
        self._idle.append(worker)
        return reply

    def _idle_worker(self) -> Worker | None:
        """Return an idle worker that is still alive; the system may have ended some."""
        while self._idle:
            worker = self._idle.pop()
            if worker.returncode is None and worker.stdout is not None and not worker.stdout.at_eof():
                return worker
            self._stop(worker)
        return None

    async def keep_warm(self, spare: int) -> None:
        """Keep this many workers, ready to draw, and stop the others; no call may be in progress."""
        ready: list[Worker] = []
        while len(ready) < spare and (worker := self._idle_worker()) is not None:
            ready.append(worker)
        while self._idle:
            self._stop(self._idle.pop())
        with contextlib.suppress(OSError):  # the process limit is reached: the call that needs one reports it
            while len(ready) < spare:
                ready.append(await _start(_PREPARE_DRAWING))
        self._idle = ready

    def _stop(self, worker: Worker) -> None:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        stopping: asyncio.Task[object] = asyncio.ensure_future(worker.communicate())
        self._stopping.add(stopping)
        stopping.add_done_callback(self._stopping.discard)

    async def aclose(self) -> None:
        """Stop all idle workers and wait until they have ended; no call may be in progress."""
        while self._idle:
            self._stop(self._idle.pop())
        await asyncio.gather(*self._stopping, return_exceptions=True)


async def _start(*prepared: str) -> Worker:
    """Start a worker in a process group of its own, so that the terminal's Ctrl-C does not reach it. `prepared` names
    functions that it calls first."""
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
    """Return a minimal environment: a process that decodes outside bytes needs no credentials."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return passed | {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUTF8": "1"}


async def _exchange(worker: Worker, order: object, on_progress: OnProgress | None) -> dict[str, object]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    answered = False
    try:
        worker.stdin.write(json.dumps(order).encode() + b"\n")
        await worker.stdin.drain()
        while True:
            async with asyncio.timeout(_TIMEOUT):
                line = await worker.stdout.readline()
            if not line.endswith(b"\n"):
                died = MediaError if answered else _DiedSilently
                raise died("the media worker died", help="Out of memory? Try a smaller resolution.")
            answered = True
            reply: dict[str, object] = json.loads(line)
            match reply.get("progress"):
                case [int(done), int(of)] if on_progress:
                    on_progress(done, of)
                case _:
                    return reply
    except (ConnectionError, TimeoutError, ValueError) as error:
        kind = MediaError if answered or not isinstance(error, ConnectionError) else _DiedSilently
        raise kind(f"the media worker did not answer: {error or type(error).__name__}") from error


def _cores() -> int:
    """Return the number of usable cores, at most 8; each worker encodes with one thread."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(8, available)
