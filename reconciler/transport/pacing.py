"""When a provider may be asked: its pace, its pauses, how many submits at once, how many retries altogether.

One of each per provider, shared by everything that is sent to it with credentials. All of it is counters: nothing is
kept per task, and whoever waits stands in one line, in the order of `Rank`: links expire, queues do not. Downloads go
to media hosts and stand in no line of a provider.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import IntEnum
from itertools import count

from reconciler.clock import Clock

LONGEST = 15 * 60.0
"""A provider that wants to be left alone for longer is not waited for within a run."""
DAY = 24 * 3600.0
"""No hint counts for more: a date in the year 9999 is a fault of the server."""


class Paused(Exception):
    """The provider asked to be left alone for longer than the caller would wait."""

    def __init__(self, wait: float, until: float) -> None:
        when = datetime.fromtimestamp(until, UTC)
        super().__init__(f"the provider asked to wait until {when:%Y-%m-%d %H:%M:%S} UTC")
        self.wait = wait


class Rank(IntEnum):
    """What goes first when several want to ask."""

    POLL = 0  # brings links; and tokens, which both wait for
    SUBMIT = 1  # and what belongs to one: uploads of its inputs


class _Line:
    """A lock whose waiters are served by rank, and within a rank in the order in which they came."""

    def __init__(self) -> None:
        self._held = False
        self._waiting: list[tuple[Rank, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def front(self, rank: Rank, number: int) -> AsyncIterator[None]:
        """Be the first, for the length of the block."""
        if self._held:
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (rank, number, place))
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():  # it was our turn at that very instant
                    self._next()
                raise
        self._held = True
        try:
            yield
        finally:
            self._next()

    def better(self, rank: Rank) -> bool:
        """Whether somebody waits who goes before this rank."""
        while self._waiting and self._waiting[0][2].done():
            heapq.heappop(self._waiting)
        return bool(self._waiting) and self._waiting[0][0] < rank

    def _next(self) -> None:
        self._held = False
        while self._waiting:
            _, _, place = heapq.heappop(self._waiting)
            if not place.done():
                place.set_result(None)
                self._held = True  # for whoever has been told, so that nobody slips in before
                return


class RateLimiter:
    """Spaces requests evenly, by rank, and stops all of them while the provider wants a pause."""

    def __init__(self, clock: Clock, per_second: float, chance: Callable[[], float]) -> None:
        self._clock, self._chance = clock, chance
        self._spacing = 1 / per_second if per_second > 0 else 0.0
        self._line, self._numbers = _Line(), count()
        self._next = self._resume = clock.monotonic()
        self._strikes = 0

    async def turn(self, patience: float = LONGEST, rank: Rank = Rank.POLL) -> None:
        """Wait for one's turn. Raises Paused when the pause lasts longer than `patience` seconds."""
        number = next(self._numbers)
        while True:
            self.check(patience)
            if (wait := self._resume - self._clock.monotonic()) > 0:
                await self._clock.sleep(wait)
                continue
            async with self._line.front(rank, number):  # not held through a pause: those behind may be less patient
                await self._clock.sleep(max(0.0, self._next - self._clock.monotonic()))
                if self._resume <= self._clock.monotonic() and not self._line.better(rank):
                    self.passed()
                    return

    @property
    def open(self) -> bool:
        """Whether no pause is on."""
        return self._resume <= self._clock.monotonic()

    def passed(self) -> None:
        """Note that a request goes out now; `turn` does so itself."""
        self._next = self._clock.monotonic() + self._spacing

    def check(self, patience: float = 0.0) -> None:
        """Raises Paused when a pause of more than `patience` seconds is on."""
        wait = self._resume - self._clock.monotonic()
        if wait > patience:
            raise Paused(wait, self._clock.now() + wait)

    def pause(self, hint: float | None) -> None:
        """The provider is busy: everybody waits for its hint or a growing time of ours, whichever is longer, and a
        little more, so that not all who were told the same second come back in it."""
        self._strikes += 1
        wait = max(min(hint or 0.0, DAY), min(2.0 ** min(self._strikes, 6), 60.0))
        wait += self._chance() * max(1.0, 0.1 * wait)
        self._resume = max(self._resume, self._clock.monotonic() + wait)

    def calm(self) -> None:
        """The provider answered as it should."""
        self._strikes = 0


class ConcurrencyRamp:
    """How many submits may be under way: one at first, one more after each success, half as many when it is busy."""

    def __init__(self, limit: int) -> None:
        self.limit, self.width, self.busy = max(1, limit), 1, 0
        self._left = asyncio.Event()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place among the submits, held until the block ends."""
        while self.busy >= self.width:
            self._left.clear()
            await self._left.wait()
        self.busy += 1
        try:
            yield
        finally:  # without an await: nothing may keep a place from being given back
            self.busy -= 1
            self._left.set()

    def grow(self) -> None:
        """A submit was accepted. Whoever waits is woken when its place is given back."""
        self.width = min(self.limit, self.width + 1)

    def shrink(self, *, told: bool) -> None:
        """The provider was busy. Where it said how long to wait, everything has stopped: begin again with one."""
        self.width = 1 if told else max(1, self.width // 2)


class RetryBudget:
    """What a provider's faults may cost in retries: each success earns one back (the AWS SDKs' retry quota)."""

    def __init__(self, tokens: int = 20) -> None:
        self.most = self.tokens = tokens

    def spend(self, *, slow: bool = False) -> bool:
        """Pay for one retry, twice after a timeout; False when there is not enough."""
        price = 2 if slow else 1
        if self.tokens < price:
            return False
        self.tokens -= price
        return True

    def earn(self) -> None:
        """A request succeeded."""
        self.tokens = min(self.most, self.tokens + 1)


def backoff(attempt: int, chance: Callable[[], float], base: float = 0.5, most: float = 8.0) -> float:
    """Seconds before retry number `attempt` (from 0): doubling, of which half is left to chance."""
    return min(most, base * 2.0 ** min(attempt, 10)) * (0.5 + chance() / 2)
