"""Keeps an event loop and started workers between two applies of one process.

Starting a worker takes a fifth of a second, which would delay the draft of an edit. Workers belong to the loop that
started them, so the two are kept together. A single apply needs neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from reconciler.media.worker_pool import WorkerPool

SPARE = 2
"""Workers kept started: an edit changes one clip or two, and each worker holds a codec and a font in memory."""

T = TypeVar("T")


class WarmWorkers:
    """An event loop and its workers, for one thread outside any event loop. A context manager."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self.crew = WorkerPool()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        with self._runner:
            self._runner.run(self.crew.aclose())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine as `asyncio.run` does, in the loop that is kept."""
        return self._runner.run(work)

    def rest(self) -> None:
        """Keep `SPARE` workers started until the next apply; one that was dismissed is replaced."""
        self._runner.run(self.crew.keep_warm(SPARE))
