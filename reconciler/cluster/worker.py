"""A worker: takes keys from the queue, carries out their orders, until it is stopped."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.cluster.carry import AGAIN
from reconciler.cluster.dispatch import HEARTBEAT, Dispatch
from reconciler.cluster.place import WorkPlace
from reconciler.cluster.resync import LOOK, Resync
from reconciler.diagnostics import StateError, StateUnreachable
from reconciler.engine.control import Halt, RunControl
from reconciler.engine.ports import Sink
from reconciler.engine.run.hooks import listen
from reconciler.events import Event, EventKind
from reconciler.state.hooks import secret_of
from reconciler.state.store import LEASE

_RETRY = 5.0
"""Seconds after which a queue that did not answer is asked again."""
_MANY = 10**9
"""More steps than a worker has: a look-up waits as long as it must, since there is always other work."""


class Carries(Protocol):
    """Carries out orders: `Carrier` buys, `DraftCarrier` renders."""

    control: RunControl

    async def carry_out(self, key: str) -> float | None:
        """Carry out the order of a key as far as it goes now. Returns the seconds after which it goes on, None if it is
        over."""


@dataclass(slots=True)
class Worker:
    """One worker. `stop` ends it: what is being sent is recorded, and everything else is given back.

    `slots` says how many orders of each account are carried out at one time, over all workers (0: as many as they can),
    and `at_once` how many of all of them here (None: as many as there are).
    """

    place: WorkPlace
    carrier: Carries
    slots: Mapping[str, int]
    dispatch: Dispatch
    sink: Sink
    random: Callable[[], float]
    at_once: int | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, *, once: bool = False) -> None:
        """Carry out orders until it is stopped; `once`: until each that could begin was tried."""
        self.control.carry(_MANY)
        resync = Resync(self.place, self.slots.keys(), self.dispatch, self._say, self.random)

        tried: set[str] = set()

        async def handle(key: str) -> float | None:
            tried.add(key)
            try:
                again = await self.carrier.carry_out(key)
            except Exception as error:
                text = f"the order of {key} ended by an error, and its job is held"
                self._say(f"{text}: {type(error).__name__}: {error}. This is a bug in clipform.")
                raise
            if once and again == AGAIN:
                return None  # the order stays open, for a worker that goes on
            if again is None:
                await self.dispatch.enqueue(self.place.wants.ready(self.slots, need=key))
            return again

        await resync.look()
        async with _beside(self._renew(), self._look(resync), *self._listening()), aclosing(self.place.renderer):
            while not self.stopping.is_set():
                try:
                    await self.dispatch.run(self.slots, handle, self.stopping, once=once, at_once=self.at_once)
                except StateUnreachable as error:
                    self._say(error.message)
                    await self.control.sleep(self.place.session.clock, _RETRY)
                if once and not await self._comes_back(tried):
                    break
        with suppress(StateError):
            self.place.wants.leave(self.place.member.owner)

    async def _comes_back(self, tried: set[str]) -> bool:
        """Wait, at the end of `once`, for orders whose jobs others have: a worker that was killed a moment ago may have
        been given one without knowing. Returns True if the queue may give one of them now; what a worker that is alive
        goes on with is not waited for any longer."""
        clock = self.place.session.clock
        until = clock.monotonic() + HEARTBEAT.total_seconds() + LOOK
        with suppress(StateError):
            while not self.control.event.is_set():
                others = [(key, account) for key, account in self.place.wants.ready(self.slots) if key not in tried]
                if not others:
                    return False
                if clock.monotonic() >= until:
                    tried.update(key for key, _ in others)
                    await self.dispatch.enqueue(others)
                    self.stopping.clear()  # an empty queue has set it
                    return True
                await self.control.sleep(clock, LOOK)
        return False

    @property
    def control(self) -> RunControl:
        """What stops the orders."""
        return self.carrier.control

    def stop(self) -> None:
        """Begin nothing more, and end all waiting."""
        self.control.event.set()
        self.stopping.set()

    async def _renew(self) -> None:
        """Go on holding what this process holds, while it lives: a process that is frozen loses it."""
        while True:
            await self.place.session.clock.sleep(LEASE / 4)
            with suppress(StateError):
                self.place.session.store.renew()

    def _listening(self) -> Iterator[Coroutine[None, None, None]]:
        """Yield what hears the calls of vendors, where the secret is that lets them call."""
        session = self.place.session
        if secret_of(session.workspace.env):
            self.control.calls = defaultdict(Halt)
            yield listen(session.store.sql, self.control.calls, session.clock)

    async def _look(self, resync: Resync) -> None:
        while True:
            await self.place.session.clock.sleep(LOOK)
            try:
                if await resync.look():
                    self.control.stopped.clear()  # an account that refused may have been put right
            except StateError as error:
                self._say(error.message)
                await self.place.session.clock.sleep(_RETRY)

    def _say(self, text: str) -> None:
        self.sink.emit(Event(EventKind.NOTE, message=text))


@asynccontextmanager
async def _beside(*loops: object) -> AsyncIterator[None]:
    """Run loops that do not end, within the block."""
    tasks = [asyncio.ensure_future(loop) for loop in loops]  # type: ignore[call-overload]  # coroutines
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def ended_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at the first SIGTERM or SIGINT. The second ends the process at once, with what is on disk."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    seen: list[int] = []

    def handle(number: int) -> None:
        if seen:
            os._exit(128 + number)
        seen.append(number)
        stop()

    for number in signals:
        loop.add_signal_handler(number, handle, number)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
