"""A disk that is full, or that fails, before and after a request: nothing is sent, or nothing is forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.diagnostics import StateError
from reconciler.engine.run import session
from reconciler.events import Summary
from reconciler.records import Attempt, State
from reconciler.state.ledger import Facts
from reconciler.state.receipts import Receipts
from reconciler.state.store import Store
from tests.reliability.simulator.sim import HEAD, Sim

ONE_BY_ONE = HEAD.replace("kind: fake,", "kind: fake, concurrency: 1,")
PAIR = "clips:\n  hero: {prompt: a lamp}\n  intro: {prompt: a candle}\n"


def results(summary: Summary) -> dict[str, str]:
    return {outcome.name: outcome.result.value for outcome in summary.outcomes}


def test_an_intent_that_is_there_though_its_commit_failed_is_known_not_to_have_been_sent(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite may fail at the last sync of a commit that every later reader finds done."""
    real = session.Store.begin

    def fails(self: Store, *given: Any) -> Attempt:
        real(self, *given)
        raise StateError("cannot use the state: disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(session.Store, "begin", fails)
        assert sim.apply().exit_code == 3
    assert (sim.states(), sim.server.submits("hero")) == (["not_sent"], 0)
    assert sim.apply().exit_code == 0
    assert sim.server.submits("hero") == 1


def _full(*_: object, **__: object) -> None:
    raise StateError("cannot write the state: the disk is full", code="disk-full")


@pytest.mark.parametrize(("kind", "name"), [(Store, "begin"), (Receipts, "_reserve")])
def test_a_disk_that_is_full_before_the_request_sends_nothing(
    kind: type, name: str, sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(session.Store if kind is Store else kind, name, _full)
        summary = sim.apply()
    assert (results(summary), summary.exit_code) == ({"hero": "failed"}, 3)
    assert "disk is full" in summary.outcomes[0].message
    assert sim.server.calls == []


def test_a_disk_that_fills_up_before_the_id_is_recorded_loses_no_task(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.write(ONE_BY_ONE + PAIR)
    real = session.Store.move

    def move(self: Store, attempt: Attempt, to: State, facts: Facts | None = None) -> Attempt:
        return _full() if to is State.ACCEPTED else real(self, attempt, to, facts)  # type: ignore[return-value]

    with monkeypatch.context() as patch:
        patch.setattr(session.Store, "move", move)
        summary = sim.apply()
    assert results(summary) == {"hero": "failed", "intro": "skipped"}
    assert "task-1" in summary.outcomes[0].message  # said aloud, in case that nothing can be written
    assert sim.states() == ["submitting"]
    sim.rest()
    assert sim.states() == ["done", "done"]
    assert len(sim.server.ledger) == 2


def test_receipts_that_cannot_be_written_keep_the_id_out_of_nothing_else(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(session.Receipts, "accepted", _full)
        sim.apply()
    assert [attempt.task for attempt in sim.attempts()] == ["task-1"]
    sim.rest()
    assert len(sim.server.ledger) == 1
