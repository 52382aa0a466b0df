"""Time that jumps: when nothing else can run, the clock moves to whoever wakes next. A day takes milliseconds."""

from __future__ import annotations

import asyncio
import heapq
import random
import selectors
from collections import deque
from selectors import SelectorKey


class Deadlock(BaseException):
    """Every task waits without a timeout: the run would never end (I13)."""


class VirtualClock:
    """A `Clock` of virtual time. `patience` bounds how far one run may drift, so that an endless loop is an error."""

    def __init__(self, now: float = 2_000_000_000.0, patience: float = 30 * 86_400.0) -> None:
        self.time = now
        self.offset = 0.0  # of the wall clock: it may be set, or go on while the machine sleeps
        self.jumps: dict[int, float] = {}  # by how much it jumps, by number of the sleep that it falls into
        self.naps = 0
        self.limit = now + patience
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0
        self.order: random.Random | None = None  # who goes first among those who can go on; None: who came first

    def now(self) -> float:
        return self.time + self.offset

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        self.naps += 1
        self.offset += self.jumps.pop(self.naps, 0.0)
        heapq.heappush(self._sleepers, (self.time + max(0.0, seconds), self._count, future))
        await future

    def advance(self) -> bool:
        """Wake the next sleeper; False when there is none."""
        while self._sleepers:
            when, _, future = heapq.heappop(self._sleepers)
            if not future.done() and not future.get_loop().is_closed():
                self.time = max(self.time, when)
                if self.time > self.limit:
                    raise Deadlock("a run took more than a month")
                future.set_result(None)
                return True
        return False


class _Selector(selectors.DefaultSelector):
    """Advances the clock instead of waiting."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if not self._clock.advance() and timeout is None:
            raise Deadlock("nothing is scheduled")
        return found


class _Loop(asyncio.SelectorEventLoop):
    """A loop whose ready queue may be shuffled by seed: another run of the same program that could have been."""

    _ready: deque[asyncio.Handle]

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(_Selector(clock))
        self._clock = clock

    def _run_once(self) -> None:
        if self._clock.order is not None and len(self._ready) > 1:
            waiting = list(self._ready)
            self._clock.order.shuffle(waiting)
            self._ready.clear()
            self._ready.extend(waiting)
        super()._run_once()  # type: ignore[misc]  # asyncio's own, and the only place where the order is decided

    def _check_signal(self, sig: int) -> None:
        """The program's are signals; asking the system for all that there are is a twentieth of a run."""


def new_loop(clock: VirtualClock) -> asyncio.AbstractEventLoop:
    """A loop that never waits. Nothing in it may use threads or sockets."""
    return _Loop(clock)
