"""A clock that ticks, purchase orders, and a maker that drives attempts to where a test wants them."""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass

from reconciler.records import MOVES, Artifact, Attempt, Generation, State
from reconciler.state import new_database
from reconciler.state.budget import NewAttempt
from reconciler.state.ledger import Facts
from reconciler.state.sql import sqlite
from reconciler.state.sql.sqlite import SQLite
from reconciler.state.store import Store

_marker = itertools.count()


class Clock:
    """Time that passes by a second each time it is looked at."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def order(key: str = "v1:aa", **more: object) -> NewAttempt:
    """A purchase order with a marker of its own."""
    values: dict[str, object] = {"key": key, "clip": "hero", "take": 1, "provider": "studio", "kind": "ark"}
    values |= {"model": "m1", "marker": f"marker-{next(_marker)}", "document": '{"prompt":"a cat"}'}
    return NewAttempt(**{**values, **more})  # type: ignore[arg-type]


def result(attempt: Attempt, sha256: str = "ab" * 32) -> tuple[Artifact, Generation]:
    """What `fetched` takes."""
    of = attempt.provenance(task=None, seed=None, cost_micros=None, currency="")
    generation = Generation(attempt.key, sha256, attempt.document, **of, elapsed=12.5)
    return Artifact(sha256, 1000, ".mp4", 5000, 1280, 720, audio=True), generation


def path_to(goal: State) -> list[State]:
    """The shortest way from the beginning to a state."""
    ways = deque([[State.SUBMITTING]])
    while ways:
        way = ways.popleft()
        if way[-1] is goal:
            return way[1:]
        ways.extend([*way, step] for step in sorted(MOVES.get(way[-1], ())))
    raise AssertionError(goal)


@dataclass
class Maker:
    """Drives a store's attempts to where a test wants them."""

    store: Store

    def attempt(self, goal: State = State.SUBMITTING, key: str = "v1:aa", **more: object) -> Attempt:
        attempt = self.store.begin(order(key, **more))
        for step in path_to(goal):
            attempt = self.step(attempt, step)
        return attempt

    def step(self, attempt: Attempt, to: State) -> Attempt:
        if to is State.FETCHED:
            return self.store.fetched(attempt, *result(attempt))
        task = f"task-{attempt.id}" if to is State.ACCEPTED else None
        return self.store.move(attempt, to, Facts(task=task))


def memory_store(clock: Clock | None = None) -> Store:
    """A whole store that has no file; whoever makes one closes it."""
    connection = sqlite.in_memory()
    new_database.create(connection)
    connection.execute("PRAGMA foreign_keys=ON")
    store = Store(SQLite(connection), clock or Clock())
    store.complete()
    return store


def dump(store: Store) -> list[str]:
    """Every row of every table, as text."""
    tables = {table: store.sql for table in ("event", "attempt", "generation", "artifact", "ledger", "plan", "meta")}
    tables |= {table: store.desk.sql for table in ("binding", "placed")}
    return sorted(f"{table} {row}" for table, sql in tables.items() for row in sql.query(f"SELECT * FROM {table}"))
