"""What is stored already is placed without a commit for each take, and what fails does not touch the others."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from reconciler.artifacts.store import Objects
from reconciler.diagnostics import StateError
from reconciler.events import EventKind
from reconciler.state.sql import sqlite
from tests.reliability.simulator.sim import HEAD, Sim

CLIPS = [f"c{number}" for number in range(6)]


@pytest.fixture
def cleared(sim: Sim) -> Sim:
    """Everything was made, and all outputs were deleted."""
    sim.write(HEAD + "clips:\n" + "".join(f"  {name}: {{prompt: {name}}}\n" for name in CLIPS))
    assert sim.apply().exit_code == 0
    shutil.rmtree(sim.root / "renders")
    sim.server.calls.clear()
    return sim


def _commits(patch: pytest.MonkeyPatch, end: Callable[[int], None]) -> None:
    """Call `end` with the number of outputs that each commit is about to record, if there are any."""
    real = sqlite.immediate

    @contextmanager
    def immediate(connection: sqlite3.Connection) -> Iterator[None]:
        with real(connection):
            before = _events(connection)
            yield
            if (count := _events(connection) - before) > 0:
                end(count)

    patch.setattr(sqlite, "immediate", immediate)


def _events(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM event WHERE type = 'placed'").fetchone()[0])


def test_many_are_recorded_by_one_commit(cleared: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    _commits(monkeypatch, counts.append)
    assert (cleared.apply().exit_code, cleared.server.calls, counts) == (0, [], [6])
    assert {path.stem for path in (cleared.root / "renders").iterdir()} == {*CLIPS}


def test_one_damaged_object_fails_alone(cleared: Sim) -> None:
    objects = Objects(cleared.root / "state")
    damaged = next(iter(objects))
    path = objects.path(damaged.sha256, damaged.suffix)
    path.chmod(0o644)
    path.write_bytes(b"x" * damaged.size)
    results = [outcome.result for outcome in cleared.apply().outcomes]
    assert sorted(results) == [EventKind.FAILED] + 5 * [EventKind.SUCCEEDED]
    assert len([*(cleared.root / "renders").iterdir()]) == 5


def test_nothing_is_called_done_that_a_failed_commit_left_out(cleared: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(count: int) -> None:
        raise StateError("cannot write the state: the disk is full", code="disk-full")

    with monkeypatch.context() as patch:
        _commits(patch, full)
        summary = cleared.apply()
    assert {outcome.result for outcome in summary.outcomes} == {EventKind.FAILED}
    assert cleared.apply().exit_code == 0
    assert cleared.apply().outcomes == () and cleared.server.calls == []
