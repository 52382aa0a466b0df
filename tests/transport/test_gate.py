"""Turns and pauses, on a clock of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from reconciler.transport.pacing import ConcurrencyRamp, Paused, Rank, RateLimiter, backoff
from tests.transport.kit import JumpClock

pytestmark = pytest.mark.anyio


class BusyClock(JumpClock):
    """Something happens during the first nap."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self._happens = happens

    async def sleep(self, seconds: float) -> None:
        """Jump, after it happened."""
        if seconds > 0:
            happens, self._happens = self._happens, lambda: None
            happens()
        await super().sleep(seconds)


class LateClock(JumpClock):
    """Every nap is a little longer than asked for, as on a busy machine."""

    def __init__(self, late: float) -> None:
        super().__init__()
        self.late = late

    async def sleep(self, seconds: float) -> None:
        """Jump too far."""
        await super().sleep(seconds + self.late if seconds > 0 else 0)


async def _times(clock: JumpClock, per_second: float, count: int, pause: float = 0.0) -> list[float]:
    """When the requests of a queue go out."""
    limiter, times = RateLimiter(clock, per_second, lambda: 0.0), []
    if pause:
        limiter.pause(pause)

    async def one() -> None:
        await limiter.acquire()
        times.append(clock.time)

    await asyncio.gather(*(one() for _ in range(count)))
    clock.time += 60  # and after an idle minute
    await asyncio.gather(*(one() for _ in range(2)))
    return times


@pytest.mark.parametrize(("late", "takes"), [(0.02, 10.0), (0.09, 10.0), (0.5, 20.4)])
async def test_a_queue_keeps_its_pace_although_each_turn_is_a_little_late(late: float, takes: float) -> None:
    times = await _times(LateClock(late), 10, 101)
    assert times[100] - times[0] == pytest.approx(takes, abs=0.1)
    assert all(later - first >= 0.1 - 1e-9 for first, later in zip(times, times[11:], strict=False)), "a burst"
    assert times[102] - times[101] >= 0.1 - 1e-9, "two at once after an idle time"


async def test_after_a_pause_a_queue_starts_slowly() -> None:
    times = await _times(LateClock(0.02), 100, 20, pause=30)
    assert times[0] >= 30
    assert all(time >= 30 + number / 100 for number, time in enumerate(times[:20]))


async def test_a_pause_that_begins_while_one_stands_in_line_counts() -> None:
    clock = BusyClock(lambda: limiter.pause(50))
    limiter = RateLimiter(clock, 0.1, lambda: 0.0)
    await limiter.acquire()
    await limiter.acquire()
    assert clock.time == 50


async def test_a_short_pause_ends_no_long_one() -> None:
    clock = JumpClock()
    limiter = RateLimiter(clock, 1000, lambda: 0.0)
    limiter.pause(100)
    limiter.pause(3)
    await limiter.acquire()
    assert clock.time == 100


async def test_pauses_without_a_hint_grow_until_the_provider_is_calm() -> None:
    clock = JumpClock()
    limiter = RateLimiter(clock, 1000, lambda: 0.0)
    waits = []
    for calm in (False,) * 8 + (True,):
        if calm:
            limiter.reset_backoff()
        before = clock.time
        limiter.pause(None)
        await limiter.acquire()
        waits.append(round(clock.time - before))
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60, 2]


async def test_those_who_wait_come_back_one_by_one_and_after_the_pause() -> None:
    clock = JumpClock()
    limiter = RateLimiter(clock, 1, lambda: 1.0)
    limiter.pause(10)
    came = []

    async def one() -> None:
        await limiter.acquire()
        came.append(clock.time)

    await asyncio.gather(*(one() for _ in range(4)))
    assert came == [11, 12, 13, 14]


async def test_polls_go_before_submits_one_at_a_time() -> None:
    clock = JumpClock()
    limiter = RateLimiter(clock, 1, lambda: 0.0)
    came = []

    async def one(rank: Rank, name: str) -> None:
        await limiter.acquire(rank=rank)
        came.append(name)

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(one(Rank.SUBMIT, f"submit {number}"))
        await asyncio.sleep(0)
        for number in range(3):
            group.create_task(one(Rank.POLL, f"poll {number}"))
    assert came == ["submit 0", "poll 0", "submit 1", "poll 1", "submit 2", "poll 2"]


async def test_the_polls_of_one_task_let_the_other_tasks_begin() -> None:
    """One request a second, and a task that is polled as often as that allows until all have begun."""
    clock, begun = JumpClock(), 0
    limiter = RateLimiter(clock, 1, lambda: 0.0)

    async def submit() -> None:
        nonlocal begun
        await limiter.acquire(rank=Rank.SUBMIT)
        begun += 1

    async def poll() -> None:
        while begun < 4 and clock.time < 100:
            await limiter.acquire()

    await asyncio.gather(poll(), *(submit() for _ in range(4)))
    assert begun == 4 and clock.time <= 9


@pytest.mark.parametrize("when", range(12))
async def test_whoever_leaves_the_line_leaves_it_to_the_next(when: int) -> None:
    limiter = RateLimiter(JumpClock(), 1, lambda: 0.0)
    waiting = [asyncio.create_task(limiter.acquire(rank=rank)) for rank in (Rank.SUBMIT, Rank.SUBMIT, Rank.POLL)]
    for _ in range(when):
        await asyncio.sleep(0)
    waiting[1].cancel()
    async with asyncio.timeout(1):
        await asyncio.gather(*waiting, return_exceptions=True)
        await limiter.acquire()


async def test_the_less_patient_are_told_at_once() -> None:
    clock = JumpClock()
    limiter = RateLimiter(clock, 1, lambda: 0.0)
    limiter.pause(100)
    with pytest.raises(Paused) as caught:
        await limiter.acquire(30)
    assert (caught.value.wait, clock.time) == (100, 0)


async def test_a_place_that_was_waited_for_in_vain_is_not_lost() -> None:
    ramp = ConcurrencyRamp(3)
    async with ramp.slot():
        waiting = asyncio.create_task(ramp.slot().__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1), ramp.slot():
        assert ramp.active == 1


def test_backoff_doubles_and_is_bounded(anyio_backend: str) -> None:
    assert [backoff(n, lambda: 1.0) for n in (0, 1, 2, 3, 4, 5, 10_000)] == [0.5, 1, 2, 4, 8, 8, 8]
    assert backoff(0, lambda: 0.0) == 0.25
