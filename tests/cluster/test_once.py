"""`worker --once` ends when each order that could begin was tried, also one that the queue gave to a dead worker."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reconciler.cluster.dispatch import HEARTBEAT
from reconciler.cluster.place import WorkPlace
from reconciler.cluster.resync import Resync
from reconciler.cluster.worker import Worker
from reconciler.engine.control import RunControl
from reconciler.events import Event
from tests.cluster.memory_queue import MemoryDispatch
from tests.transport.kit import JumpClock


@dataclass
class Orders:
    """The open orders, and what a worker asks of them."""

    open: dict[str, str]

    def ready(self, accounts: Collection[str], need: str = "") -> list[tuple[str, str]]:
        return [] if need else [*self.open.items()]

    def leave(self, owner: str) -> None:
        pass


@dataclass
class Carried:
    """Carries out orders at once."""

    orders: Orders
    control: RunControl = field(default_factory=RunControl)
    keys: list[str] = field(default_factory=list)

    async def carry_out(self, key: str) -> None:
        self.keys.append(key)
        self.orders.open.pop(key, None)


class Notes:
    def emit(self, event: Event) -> None:
        raise AssertionError(event)

    def close(self) -> None:
        pass


class HeldQueue(MemoryDispatch):
    """Another worker has a job, and lets its heartbeat end after a while."""

    clock: JumpClock
    dies = float("inf")

    async def enqueue(self, keys: Collection[tuple[str, str]]) -> None:
        if self.clock.time >= self.dies:
            self.given.clear()
        await super().enqueue(keys)


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch) -> Carried:
    async def quiet(self: object) -> None:
        pass

    monkeypatch.setattr(Resync, "look", quiet)
    monkeypatch.setattr(Worker, "_renew", quiet)
    monkeypatch.setattr(Worker, "_look", lambda *_: quiet(None))
    monkeypatch.setattr(Worker, "_listening", lambda _: [])
    return Carried(Orders({"lamp": "studio", "sun": "studio"}))


def run(carried: Carried, dies: float) -> float:
    """Run a worker beside one that has the key of the lamp; return how long it took."""
    clock, queue = JumpClock(), HeldQueue(waiting={"sun": "studio"}, given={"lamp": "studio"})
    queue.clock, queue.dies = clock, dies

    async def aclose() -> None:
        pass

    me = SimpleNamespace(owner="me")
    place: Any = SimpleNamespace(
        session=SimpleNamespace(clock=clock), wants=carried.orders, member=me, renderer=SimpleNamespace(aclose=aclose)
    )
    worker = Worker(cast(WorkPlace, place), carried, {"studio": 4}, queue, Notes(), lambda: 0.5)
    asyncio.run(worker.run(once=True))
    return clock.time


def test_the_job_of_a_worker_that_was_killed_is_waited_for(carried: Carried) -> None:
    """A statement that was on its way when it was killed gave it the job."""
    assert run(carried, dies=5.0) <= HEARTBEAT.total_seconds() + 2
    assert carried.keys == ["sun", "lamp"] and not carried.orders.open


def test_the_job_of_a_worker_that_is_alive_is_left_to_it(carried: Carried) -> None:
    assert run(carried, dies=float("inf")) <= HEARTBEAT.total_seconds() + 2
    assert carried.keys == ["sun"] and [*carried.orders.open] == ["lamp"]
