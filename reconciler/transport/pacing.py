"""Pacing of one provider: the request rate, pauses that it asks for, concurrent submits, and the retry budget.

There is one of each per provider, shared by all requests with credentials. All state is counters, nothing is kept per
task. Requests wait in the order of `Rank`: links expire, so polls go before submits. But only one at a time goes before
a submit that waits: with a short interval of polling, the polls of one task would use up the rate, and the others would
begin one after another. Downloads go to media hosts and do not use the provider's queue.
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
"""Seconds; a run does not wait out a longer pause."""
DAY = 24 * 3600.0
"""Seconds; a longer hint counts as this: a date in the year 9999 is a fault of the server."""


CAUGHT_UP = 0.1
"""Seconds by which the requests of a queue may be late and still keep its pace; after a longer delay it starts over."""


class Paused(Exception):
    """The provider asked for a longer pause than the caller accepts. `wait` is its length in seconds."""

    def __init__(self, wait: float, until: float) -> None:
        when = datetime.fromtimestamp(until, UTC)
        super().__init__(f"the provider asked to wait until {when:%Y-%m-%d %H:%M:%S} UTC")
        self.wait = wait


class Rank(IntEnum):
    """Priority of a request in the queue; the lowest value goes first."""

    POLL = 0  # brings links, and the tokens that both need
    SUBMIT = 1  # and its uploads of inputs


class _Queue:
    """Callers that wait, by rank, and within a rank in order of arrival. Each is woken alone: to wake all of them for
    each turn would be quadratic."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Rank, int, asyncio.Future[None]]] = []

    async def wait(self, rank: Rank, number: int, give_back: Callable[[], None]) -> None:
        """Wait to be woken. `give_back` returns the turn of a caller that is cancelled at the instant it gets it."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, number, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                give_back()
            raise

    def wake(self) -> bool:
        """Wake the first caller; return False if none waits."""
        if self.first is None:
            return False
        heapq.heappop(self._waiting)[2].set_result(None)
        return True

    @property
    def first(self) -> Rank | None:
        """The rank of the first caller, None if none waits."""
        while self._waiting and self._waiting[0][2].done():  # cancelled
            heapq.heappop(self._waiting)
        return self._waiting[0][0] if self._waiting else None


class _RankedLock:
    """A lock whose waiters are served by rank, and within a rank in order of arrival. After a poll went before a submit
    that waits, the submit is next."""

    def __init__(self) -> None:
        self._held, self._queues = False, {rank: _Queue() for rank in Rank}
        self._is_due = False  # a submit is next

    @asynccontextmanager
    async def hold(self, rank: Rank, number: int) -> AsyncIterator[None]:
        """Hold the lock for the length of the block; `number` orders waiters of the same rank."""
        if self._held:
            await self._queues[rank].wait(rank, number, self._release)
        self._held = True
        try:
            yield
        finally:
            self._release()

    def outranked(self, rank: Rank) -> bool:
        """Return True if the holder is to let a waiter of a better rank go first."""
        return rank is Rank.SUBMIT and not self._is_due and self._queues[Rank.POLL].first is not None

    def served(self, rank: Rank) -> None:
        """Note that the holder has used the lock for its turn."""
        self._is_due = rank is Rank.POLL and self._queues[Rank.SUBMIT].first is not None

    def _release(self) -> None:
        order = sorted(Rank, reverse=self._is_due)
        self._held = any(self._queues[rank].wake() for rank in order)  # on behalf of the woken: no other takes it first


class RateLimiter:
    """Spaces requests evenly, by rank, and stops all of them during a pause that the provider asked for."""

    def __init__(self, clock: Clock, per_second: float, random: Callable[[], float]) -> None:
        self._clock, self._random = clock, random
        self._spacing = 1 / per_second if per_second > 0 else 0.0
        self._lock, self._numbers = _RankedLock(), count()
        self._next_request = self._resume = clock.monotonic()
        self._pauses = 0

    async def acquire(self, max_wait: float = LONGEST, rank: Rank = Rank.POLL) -> None:
        """Wait until a request may be sent. Raises Paused if a pause lasts longer than `max_wait` seconds."""
        number, arrival = next(self._numbers), self._clock.monotonic()
        while True:
            self.require_open(max_wait)
            if (wait := self._resume - self._clock.monotonic()) > 0:
                await self._clock.sleep(wait)
                continue
            async with self._lock.hold(rank, number):  # not held through a pause: later callers may accept less
                due = max(self._next_request, self._resume, arrival, self._clock.monotonic() - CAUGHT_UP)
                await self._clock.sleep(max(0.0, due - self._clock.monotonic()))
                if self._resume <= self._clock.monotonic() and not self._lock.outranked(rank):
                    self._lock.served(rank)
                    self._next_request = due + self._spacing  # not from now: late turns would add up
                    return

    @property
    def paused(self) -> float:
        """The seconds that remain of a pause; 0 without one."""
        return max(0.0, self._resume - self._clock.monotonic())

    def record_request(self) -> None:
        """Record that a request goes out now, out of turn."""
        self._next_request = self._clock.monotonic() + self._spacing

    def require_open(self, max_wait: float = 0.0) -> None:
        """Raise Paused if more than `max_wait` seconds of a pause remain."""
        wait = self._resume - self._clock.monotonic()
        if wait > max_wait:
            raise Paused(wait, self._clock.now() + wait)

    def pause(self, hint: float | None) -> None:
        """Pause all requests because the provider is busy. The pause is the provider's hint or a growing time of our
        own, whichever is longer, plus a random share, so that clients with one hint spread."""
        self._pauses += 1
        wait = max(min(hint or 0.0, DAY), min(2.0 ** min(self._pauses, 6), 60.0))
        wait += self._random() * max(1.0, 0.1 * wait)
        self._resume = max(self._resume, self._clock.monotonic() + wait)

    def reset_backoff(self) -> None:
        """Reset the growing pause after a normal answer."""
        self._pauses = 0


class Spacing:
    """Lets one request pass at a time, each some seconds after the answer to the one before."""

    def __init__(self, clock: Clock, per_second: float) -> None:
        self._clock, self._seconds = clock, 1 / per_second if per_second > 0 else 0.0
        self._lock, self._next = asyncio.Lock(), 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the turn; the block makes the request."""
        async with self._lock:
            if (wait := self._next - self._clock.monotonic()) > 0:
                await self._clock.sleep(wait)
            try:
                yield
            finally:
                self._next = self._clock.monotonic() + self._seconds


class ConcurrencyRamp:
    """Limits concurrent submits: one at first, one more after each success, half as many when the provider is busy."""

    def __init__(self, limit: int) -> None:
        self.limit, self.allowed, self.active = max(1, limit), 1, 0
        self._queue, self._numbers = _Queue(), count()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one of the allowed submits until the block ends; waits for a free one."""
        if self.active < self.allowed and self._queue.first is None:
            self.active += 1
        else:
            await self._queue.wait(Rank.SUBMIT, next(self._numbers), self._release)
        try:
            yield
        finally:  # without an await: nothing may keep the slot from being released
            self._release()

    def _release(self) -> None:
        self.active -= 1
        while self.active < self.allowed and self._queue.wake():
            self.active += 1  # on behalf of the woken waiter

    def grow(self) -> None:
        """Allow one more submit after an accepted one. A waiter wakes when a slot is released."""
        self.allowed = min(self.limit, self.allowed + 1)

    def shrink(self, *, hinted: bool) -> None:
        """Allow fewer submits because the provider is busy. With a hint all has stopped: restart at one."""
        self.allowed = 1 if hinted else max(1, self.allowed // 2)


class RetryBudget:
    """Limits retries after a provider's faults: each success earns one back (the AWS SDKs' retry quota)."""

    def __init__(self, tokens: int = 20) -> None:
        self.maximum = self.tokens = tokens

    def spend(self, *, slow: bool = False) -> bool:
        """Pay for one retry, twice the price after a timeout; return False if the budget is too small."""
        cost = 2 if slow else 1
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True

    def earn(self) -> None:
        """Earn back one retry after a successful request."""
        self.tokens = min(self.maximum, self.tokens + 1)


def backoff(attempt: int, random: Callable[[], float], base: float = 0.5, maximum: float = 8.0) -> float:
    """Return the seconds before retry number `attempt` (from 0): doubling, half of it random."""
    return min(maximum, base * 2.0 ** min(attempt, 10)) * (0.5 + random() / 2)
