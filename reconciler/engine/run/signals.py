"""What ends a run before its time: signals from the user or the system, and whatever else a caller listens to."""

from __future__ import annotations

import asyncio
import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar

GRACE = {signal.SIGINT: 30.0, signal.SIGTERM: 5.0, signal.SIGHUP: 5.0}
"""Seconds after the first signal until the process ends whatever is still open: a vendor that is silent must not hold
it for minutes, and whoever sends SIGTERM often sends SIGKILL a few seconds later."""

Hold = Callable[[Callable[[], None]], AbstractContextManager[None]]
"""Is given the way to interrupt a run, and holds, while it lasts, whoever may use it."""


waited: ContextVar[float | None] = ContextVar("waited", default=None)
"""For how many seconds what is open is waited for, while a signal interrupts a run; None when something else does."""

_LAST = b"clipform apply carries on: requests that were open are looked up or asked about\n"


@contextmanager
def signals(interrupt: Callable[[], None], leave: Callable[[], None] = lambda: None) -> Iterator[None]:
    """The first SIGINT, SIGTERM or SIGHUP drains, for as long as `GRACE` says; the second ends the process at once,
    with what is on disk.

    `leave` is called before that end. Afterwards the signals are whose they were.
    """
    loop = asyncio.get_running_loop()
    bounds: list[asyncio.TimerHandle] = []

    def heard(number: signal.Signals) -> None:
        if bounds:
            end()
        bounds.append(loop.call_later(GRACE[number], end))
        token = waited.set(GRACE[number])
        interrupt()
        waited.reset(token)

    def end() -> None:
        try:
            leave()
            _say_last()
        finally:
            os._exit(130)

    before = {number: signal.getsignal(number) for number in GRACE}
    for number in before:
        loop.add_signal_handler(number, heard, number)
    try:
        yield
    finally:
        for bound in bounds:
            bound.cancel()
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            if handler is not None:  # None: it was not Python that set it
                signal.signal(number, handler)


def _say_last() -> None:
    """Told only where it can be told at once: a reader that does not read must not hold the end up."""
    with suppress(OSError, ValueError):
        if select.select((), (2,), (), 0)[1]:
            os.write(2, _LAST)
