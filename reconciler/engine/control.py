"""Stops a run: halts submits and polls, and ends one generation early."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import Any

from reconciler.clock import Clock
from reconciler.events import EventKind
from reconciler.frozen import dataclass

DOWNLOADS = 16
"""Downloads of a run at one time: more would share the bandwidth until each of them is too slow."""


class Halt:
    """An event that ends what waits for it. Ten thousand wait at a time and leave in any order, so they are a set:
    `asyncio.Event` searches a list for each one that leaves."""

    def __init__(self) -> None:
        self._is_set = False
        self._ended: set[asyncio.Future[Any]] = set()

    def is_set(self) -> bool:
        """Return True if the event has come."""
        return self._is_set

    def set(self) -> None:
        """Let the event come: cancel every future that waits for it."""
        self._is_set = True
        for future in tuple(self._ended):
            future.cancel()

    def clear(self) -> None:
        """Take the event back, for those that will wait."""
        self._is_set = False

    def add(self, future: asyncio.Future[Any]) -> None:
        """Cancel `future` if the event comes before `discard`, or has come."""
        if self._is_set:
            future.cancel()
        self._ended.add(future)

    def discard(self, future: asyncio.Future[Any]) -> None:
        """Let `future` be."""
        self._ended.discard(future)


@dataclass(slots=True)
class RunControl:
    """Interrupts a run: once `event` is set, nothing is submitted and all waiting ends; `late` says that the time of
    `--timeout` set it. `stopped` stops one provider.

    `idle` is set while every running generation (`going`) only waits to look up an uncertain request (`idling`): the
    run does not wait for those alone. `open` counts purchases that were sent and whose answer is not recorded yet.
    """

    event: Halt = field(default_factory=Halt)
    late: bool = False
    stopped: dict[str, str] = field(default_factory=dict)  # alias -> why no more is submitted to it
    answered: set[str] = field(default_factory=set)  # aliases that have answered in this run
    refused: bool = False  # a provider refused its credentials, or has none
    downloads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DOWNLOADS))
    idle: Halt = field(default_factory=Halt)
    going: int = 0
    idling: int = 0
    open: int = 0
    calls: dict[int, Halt] | None = None  # by attempt, ends the wait for its next poll; None: nobody calls
    framed: set[str] = field(default_factory=set)  # aliases whose tasks show the frames that they were sent, or not
    framing: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    framer: dict[str, str] = field(default_factory=dict)  # the step that holds the lock of an alias

    @property
    def end(self) -> str:
        """Why the run ends early."""
        return "the time of --timeout is over" if self.late else "interrupted"

    def sleep(
        self, clock: Clock, seconds: float, *, idle: bool = False, attempt: int | None = None
    ) -> Coroutine[Any, Any, None]:
        """Sleep, unless the user interrupts, or (`idle`) every other generation only waits, too, or the vendor of
        `attempt` calls, which ends one sleep."""
        future = asyncio.ensure_future(clock.sleep(max(0.0, seconds)))
        return self.unless_halted(future, idle=idle, attempt=attempt)  # ten thousand sleep: one frame less for each

    async def unless_halted(
        self, future: asyncio.Future[Any], *, idle: bool = False, attempt: int | None = None
    ) -> None:
        """Wait until `future` is done, or cancel it when the user interrupts, or as `sleep` says."""
        called = None if self.calls is None or attempt is None else self.calls[attempt]
        halts = [halt for halt in (self.event, self.idle if idle else None, called) if halt is not None]
        for halt in halts:
            halt.add(future)
        try:
            await asyncio.wait((future,))
        finally:
            for halt in halts:
                halt.discard(future)
            future.cancel()
            if self.calls is not None and attempt is not None:
                self.calls.pop(attempt, None)

    def carry(self, going: int) -> None:
        """Set how many generations are running."""
        self.going = going
        self._update_idle()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count one generation as only waiting, within the block."""
        self.idling += 1
        self._update_idle()
        try:
            yield
        finally:
            self.idling -= 1
            self._update_idle()

    def _update_idle(self) -> None:
        if self.idling >= self.going:
            self.idle.set()
        else:
            self.idle.clear()


@dataclass(frozen=True, slots=True)
class Pause:
    """Ask this generation for its next step after `delay` seconds, or when the vendor of `attempt` calls. `reason` says
    to the user why it waits.

    What an interrupt leaves: `nothing_sent`, or a request in doubt (`looking`), or a task. `idle`: it waits only while
    the run has other things to do.
    """

    delay: float
    reason: str = ""
    nothing_sent: bool = False
    looking: bool = False
    idle: bool = False
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A generation's artifact is durable."""

    sha256: str


class StepEnded(Exception):
    """Ends a generation for this run. `kind` is FAILED, BLOCKED, LEFT or SKIPPED."""

    def __init__(self, kind: EventKind, message: str, help: str = "") -> None:
        super().__init__(message)
        self.kind, self.message, self.help = kind, message, help
