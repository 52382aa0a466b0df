"""What ends a run before its time: signals from the user or the system, and whatever else a caller listens to."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Hold = Callable[[Callable[[], None]], AbstractContextManager[None]]
"""Is given the way to interrupt a run, and holds, while it lasts, whoever may use it."""


@contextmanager
def signals(interrupt: Callable[[], None], leave: Callable[[], None] = lambda: None) -> Iterator[None]:
    """The first SIGINT, SIGTERM or SIGHUP drains; the second ends the process at once, with what is on disk.

    `leave` is called before that end. Afterwards the signals are whose they were.
    """
    loop = asyncio.get_running_loop()
    seen = 0

    def heard() -> None:
        nonlocal seen
        seen += 1
        interrupt()
        if seen > 1:
            leave()
            os._exit(130)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    for number in before:
        loop.add_signal_handler(number, heard)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            if handler is not None:  # None: it was not Python that set it
                signal.signal(number, handler)
