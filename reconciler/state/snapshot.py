"""Reads the state: everything that planning needs, in one transaction and one select per table.

Selecting whole tables is fast: one by one, ten thousand rows take seconds.
The caller is inside `connection.reading`.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from functools import cache

from reconciler.records import Artifact, Attempt, Binding, Generation, Money, Placed, Snapshot
from reconciler.spec.environment import is_local
from reconciler.state import budget, rows
from reconciler.state import connection as sql

TIMINGS = 50
"""How many past generations of a model count for an estimate."""


def snapshot(connection: sqlite3.Connection) -> Snapshot:
    """Return the whole state. Raises StateDamaged for a row that cannot be a record."""
    try:
        return _snapshot(connection)
    except (KeyError, TypeError, ValueError) as error:
        raise sql.damaged(f"a row holds what it cannot hold ({error})") from error


def _snapshot(connection: sqlite3.Connection) -> Snapshot:
    oldest_first = _all(connection, rows.select(Generation, "ORDER BY created"))
    generations = [rows.record(Generation, row) for row in oldest_first]
    results = {generation.key: generation for generation in generations}
    artifacts = [rows.artifact(row) for row in _all(connection, rows.select(Artifact))]
    attempts = [rows.attempt(row) for row in _all(connection, rows.select(Attempt, "ORDER BY id"))]
    bindings = [rows.binding(row) for row in _all(connection, rows.select(Binding))]
    placed = [rows.record(Placed, row) for row in _all(connection, rows.select(Placed))]
    rehearsed, booked = _booked(attempts)
    return Snapshot(
        store=store_id(connection),
        sequence=sequence(connection),
        generations=results,
        artifacts={artifact.sha256: artifact for artifact in artifacts},
        attempts={attempt.key: attempt for attempt in attempts},  # the newest comes last and stays
        bindings={(binding.clip, binding.take): binding for binding in bindings},
        placed={record.output: record for record in placed},
        timings=_timings(generations),
        spent={currency: sums.micros for currency, sums in budget.spent(connection).items()},
        rehearsed=rehearsed,
        booked=booked,
        counted=_counted(connection),
        rehearsals=rehearsals(attempts, results),
    )


def rehearsals(attempts: Iterable[Attempt], generations: Mapping[str, Generation]) -> frozenset[str]:
    """Return the keys whose results were made at an address of this machine, and none elsewhere. A file that
    the user imported does not count."""
    local = cache(is_local)
    makers = [attempt for attempt in attempts if attempt.sha256 is not None]
    real = {maker.key for maker in makers if not local(maker.endpoint)}
    return frozenset(m.key for m in makers if m.key not in real and _is_generated(generations.get(m.key), m))


def _is_generated(generation: Generation | None, maker: Attempt) -> bool:
    return generation is None or (generation.sha256 == maker.sha256 and generation.origin == "generated")


def _booked(attempts: Iterable[Attempt]) -> tuple[Mapping[str, int], Mapping[tuple[str, bool], int]]:
    """Return `Snapshot.rehearsed` and `Snapshot.booked`."""
    local, rehearsed, booked = cache(is_local), defaultdict[str, int](int), defaultdict[tuple[str, bool], int](int)
    for attempt in attempts:
        if attempt.money is not Money.RELEASED and attempt.cost_micros:
            is_here = local(attempt.endpoint)
            booked[attempt.key, is_here] += attempt.cost_micros
            rehearsed[attempt.currency] += attempt.cost_micros if is_here else 0
    return rehearsed, booked


def _counted(connection: sqlite3.Connection) -> Mapping[tuple[str, bool], tuple[int, str]]:
    """Return `Snapshot.counted`."""
    purchases = {}
    for name, value in _all(connection, "SELECT name, value FROM meta WHERE name LIKE 'counted %'"):
        _, rehearsal, key = str(name).split(" ", 2)
        micros, _, currency = str(value).partition(" ")
        purchases[key, rehearsal == "1"] = (int(micros), currency)
    return purchases


def attempts(connection: sqlite3.Connection, tail: str, values: tuple[rows.Value, ...]) -> tuple[Attempt, ...]:
    """Return attempts; `tail` is the end of the SQL statement."""
    try:
        return tuple(rows.attempt(row) for row in connection.execute(rows.select(Attempt, tail), values))
    except KeyError as error:
        raise sql.damaged(f"an attempt's state is {error}") from error


def generation(connection: sqlite3.Connection, key: str) -> Generation | None:
    """Return the result of a key, None if there is none."""
    row = connection.execute(rows.select(Generation, "WHERE key = ?"), (key,)).fetchone()
    return None if row is None else rows.record(Generation, row)


def store_id(connection: sqlite3.Connection) -> str:
    """Return the random id of this store; empty when it was never completed."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'store'").fetchone()
    return str(row[0]) if row else ""


def sequence(connection: sqlite3.Connection) -> int:
    """Return the number of the newest event, 0 when there is none."""
    return int(connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0])


def _all(connection: sqlite3.Connection, statement: str) -> list[tuple[rows.Value, ...]]:
    return connection.execute(statement).fetchall()


def _timings(generations: Iterable[Generation]) -> Mapping[tuple[str, str], tuple[float, ...]]:
    seconds: dict[tuple[str, str], deque[float]] = defaultdict(lambda: deque(maxlen=TIMINGS))
    for generation in generations:
        if generation.elapsed > 0 and generation.origin == "generated":
            seconds[generation.kind, generation.model].append(generation.elapsed)
    return {model: tuple(times) for model, times in seconds.items()}
