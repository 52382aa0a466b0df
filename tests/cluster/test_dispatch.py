"""What every queue behind the port does: in memory, of PgQueuer, and of Procrastinate."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from reconciler.cluster.dispatch import Dispatch, pgqueuer
from reconciler.diagnostics import StateUnreachable
from reconciler.state.sql.postgres import PostgreSQL
from tests.cluster.memory_queue import MemoryDispatch
from tests.cluster.procrastinate_queue import procrastinate_queue

Story = Callable[[Dispatch], Awaitable[None]]
Tell = Callable[[Story], None]


@asynccontextmanager
async def in_memory(url: str, schema: str) -> AsyncIterator[Dispatch]:
    yield MemoryDispatch()


ENGINES: dict[str, Callable[[str, str], AbstractAsyncContextManager[Dispatch]]] = {
    "memory": in_memory,
    "pgqueuer": pgqueuer,
    "procrastinate": procrastinate_queue,
}


@pytest.fixture(params=ENGINES)
def tell(request: pytest.FixtureRequest) -> Tell:
    """Let a story happen with an empty queue of each kind."""
    place = ("", "")
    if request.param != "memory":
        place = (request.getfixturevalue("database"), request.getfixturevalue("shared_sql")().schema)

    def tell(story: Story) -> None:
        async def happen() -> None:
            async with ENGINES[request.param](*place) as queue:
                await story(queue)

        asyncio.run(happen())

    return tell


def keys(count: int, account: str = "one") -> list[tuple[str, str]]:
    return [(f"{account}-{number}", account) for number in range(count)]


def test_each_key_is_given_out_once_however_often_it_was_put_there(tell: Tell) -> None:
    async def story(queue: Dispatch) -> None:
        given: Counter[str] = Counter()

        async def handle(key: str) -> None:
            given[key] += 1

        for _ in range(3):
            await queue.enqueue(keys(5))
        await queue.run({"one": 3}, handle, asyncio.Event(), once=True)
        assert given == dict.fromkeys(dict(keys(5)), 1)
        await queue.enqueue(keys(1))  # what was done may come again
        await queue.run({"one": 3}, handle, asyncio.Event(), once=True)
        assert given["one-0"] == 2
        await queue.enqueue([])

    tell(story)


def test_a_key_that_is_given_out_is_given_to_nobody_else_meanwhile(tell: Tell) -> None:
    async def story(queue: Dispatch) -> None:
        going: Counter[str] = Counter()
        most: Counter[str] = Counter()

        async def handle(key: str) -> None:
            going[key] += 1
            most[key] = max(most[key], going[key])
            await queue.enqueue(keys(2))
            await asyncio.sleep(0)
            going[key] -= 1
            if most["again"] < 2:
                most["again"] += 1
            else:
                stop.set()

        stop = asyncio.Event()
        await queue.enqueue(keys(2))
        await queue.run({"one": 5}, handle, stop, once=True)
        assert (most["one-0"], most["one-1"]) == (1, 1)

    tell(story)


def test_accounts_that_are_not_served_wait_and_no_account_has_more_than_its_slots(tell: Tell) -> None:
    async def story(queue: Dispatch) -> None:
        going, most = Counter[str](), Counter[str]()

        async def handle(key: str) -> None:
            account = key.partition("-")[0]
            going[account] += 1
            most[account] = max(most[account], going[account])
            await asyncio.sleep(0.02)  # of the loop alone: nothing is timed by it
            going[account] -= 1

        await queue.enqueue([*keys(6), *keys(6, "two"), *keys(2, "three")])
        await queue.run({"one": 2, "two": 3}, handle, asyncio.Event(), once=True)
        assert most["one"] <= 2 and most["two"] <= 3
        assert most.keys() == {"one", "two"}

    tell(story)


def test_an_account_without_slots_has_as_many_as_one_worker_takes(tell: Tell) -> None:
    async def story(queue: Dispatch) -> None:
        going, most = 0, 0

        async def handle(key: str) -> None:
            nonlocal going, most
            going += 1
            most = max(most, going)
            await asyncio.sleep(0.02)  # of the loop alone: nothing is timed by it
            going -= 1

        await queue.enqueue(keys(6))
        await queue.run({"one": 0}, handle, asyncio.Event(), once=True, at_once=2)
        assert most == 2

    tell(story)


def test_a_key_that_is_not_done_comes_again(tell: Tell) -> None:
    async def story(queue: Dispatch) -> None:
        given: list[str] = []
        stop = asyncio.Event()

        async def handle(key: str) -> float | None:
            given.append(key)
            if len(given) < 3:
                return 0.0
            stop.set()
            return None

        await queue.enqueue(keys(1))
        await queue.run({"one": 1}, handle, stop)
        assert given == ["one-0"] * 3

    tell(story)


def test_an_unexpected_error_is_counted_and_ends_nothing_else(tell: Tell) -> None:
    async def story(queue: Dispatch) -> None:
        given: list[str] = []

        async def handle(key: str) -> None:
            given.append(key)
            if key == "one-1":
                raise RuntimeError("planted")

        await queue.enqueue(keys(3))
        await queue.run({"one": 1}, handle, asyncio.Event(), once=True)
        assert sorted(given) == ["one-0", "one-1", "one-2"]
        assert await queue.held() == 1
        await queue.enqueue(keys(3))  # what is held hinders no later try
        await queue.run({"one": 1}, handle, asyncio.Event(), once=True)
        assert given.count("one-1") == 2

    tell(story)


def test_what_was_given_out_is_waited_for_when_it_stops(tell: Tell) -> None:
    async def story(queue: Dispatch) -> None:
        ended: list[str] = []
        stop = asyncio.Event()

        async def handle(key: str) -> None:
            stop.set()
            for _ in range(20):
                await asyncio.sleep(0)
            ended.append(key)

        await queue.enqueue(keys(1))
        await queue.run({"one": 1}, handle, stop)
        assert ended == ["one-0"]

    tell(story)


def test_a_queue_that_does_not_answer_is_an_error_of_ours() -> None:
    async def connect() -> None:
        async with pgqueuer("postgresql:///postgres?host=/nowhere", "lamp"):
            pass

    with pytest.raises(StateUnreachable):
        asyncio.run(connect())


def test_two_workers_that_start_at_once_set_the_queue_up_once(
    database: str, shared_sql: Callable[..., PostgreSQL]
) -> None:
    schema = shared_sql().schema

    async def start() -> None:
        async with pgqueuer(database, schema) as queue:
            await queue.enqueue(keys(1))

    async def both() -> None:
        await asyncio.gather(start(), start())

    asyncio.run(both())
    assert shared_sql().query("SELECT convert_from(payload, 'UTF8') FROM pgqueuer") == [("one-0",)]
