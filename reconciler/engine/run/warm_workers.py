"""What a process that applies again and again keeps between two applies: its event loop, and workers that are awake.

A worker that has to be started first costs an edit a fifth of a second before its draft begins. Workers belong to the
loop that started them, so the two are kept together. A single apply needs neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from reconciler.media.worker_pool import WorkerPool

SPARE = 2
"""Workers that wait: an edit changes one clip or two, and each holds the memory of a codec and a face."""

T = TypeVar("T")


class WarmWorkers:
    """`with Workshop() as shop:` for one thread, outside any event loop."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self.crew = WorkerPool()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._runner:
            self._runner.run(self.crew.aclose())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """As `asyncio.run`, in the loop that lives on."""
        return self._runner.run(work)

    def rest(self) -> None:
        """Between two applies: some workers stay awake, and one that was dismissed has a successor."""
        self._runner.run(self.crew.rest(SPARE))
