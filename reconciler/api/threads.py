"""A run in a thread, for a program with a loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TypeVar

from reconciler.api.access import OnEvent
from reconciler.events import Event

T = TypeVar("T")


async def in_thread(run: Callable[[Callable[[Callable[[], None]], AbstractContextManager[None]]], T]) -> T:
    """Run in a thread; `run` gets what lets it be interrupted. To cancel it interrupts it, and waits for its end."""
    stop = _Stop()
    running = asyncio.ensure_future(asyncio.to_thread(run, stop.hold))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.request()
        await asyncio.wait([running])
        raise


def in_loop(on_event: OnEvent) -> OnEvent:
    """Return what calls a function in the loop of this thread, from any other."""
    loop = asyncio.get_running_loop()

    def call(event: Event) -> None:
        loop.call_soon_threadsafe(on_event, event)

    return call


class _Stop:
    """Interrupts a run from another thread."""

    def __init__(self) -> None:
        self._turn, self._is_requested = threading.Lock(), False
        self._interrupt: Callable[[], object] | None = None

    @contextmanager
    def hold(self, interrupt: Callable[[], None]) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        with self._turn:
            self._interrupt = partial(loop.call_soon_threadsafe, interrupt)
            if self._is_requested:
                interrupt()
        try:
            yield
        finally:
            with self._turn:
                self._interrupt = None

    def request(self) -> None:
        """Stop the run now, or as soon as it begins."""
        with self._turn:
            self._is_requested = True
            if self._interrupt is not None:
                self._interrupt()
