"""Ends a run early on signals from the user or the system."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar

from reconciler.next_command import command

GRACE = {signal.SIGINT: 30.0, signal.SIGTERM: 5.0, signal.SIGHUP: 5.0}
"""Seconds from the first signal until the process ends, whatever is still open: a silent provider must not hold it for
minutes, and a SIGKILL often follows a SIGTERM after a few seconds."""

Hold = Callable[[Callable[[], None]], AbstractContextManager[None]]
"""Takes a function that interrupts a run, and returns the context in which something may call it."""


waited: ContextVar[float | None] = ContextVar("waited", default=None)
"""Seconds that open requests are waited for, while a signal interrupts a run; None when something else does."""

handled: ContextVar[bool] = ContextVar("handled", default=True)
"""False in a program that handles signals itself."""


@contextmanager
def signals(interrupt: Callable[[], None], leave: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Handle SIGINT, SIGTERM and SIGHUP within the block; the former handlers are restored after it.

    The first signal calls `interrupt` and starts the time of `GRACE`. The second, or the end of that time, calls
    `leave` and ends the process with what is on disk. In another thread than the main one, signals do not arrive.
    """
    if not handled.get() or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    bounds: list[asyncio.TimerHandle] = []

    def handle(number: signal.Signals) -> None:
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

    former = {number: signal.getsignal(number) for number in GRACE}
    for number in former:
        loop.add_signal_handler(number, handle, number)
    try:
        yield
    finally:
        for bound in bounds:
            bound.cancel()
        for number, handler in former.items():
            loop.remove_signal_handler(number)
            if handler is not None:  # None: it was not Python that set it
                signal.signal(number, handler)


def _say_last() -> None:
    """Write the last message if that does not block: a reader that does not read must not delay the end."""
    with suppress(OSError, ValueError):
        if select.select((), (2,), (), 0)[1]:
            os.write(
                2, f"{command('apply')} carries on: requests that were open are looked up or asked about\n".encode()
            )
