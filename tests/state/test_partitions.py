"""The connection to the database is cut in the middle of a purchase: what was committed is known, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from state_kit import Clock, memory_store, order
from team_kit import Connect, Team

from reconciler.diagnostics import StateError, StateUnreachable
from reconciler.records import State
from reconciler.state import shared
from reconciler.state.leases import SharedStore
from reconciler.state.ledger import Facts
from reconciler.state.sql import postgres
from tests.program.line import Line, line_to

CUTS = [(when, how) for when in ("before", "after") for how in ("reset", "silence")]


@pytest.fixture
def line(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    monkeypatch.setattr(postgres, "_IDLE", 1)  # for so long a transaction that was cut holds up the others
    with line_to(database) as opened:
        monkeypatch.setattr(postgres, "monotonic", lambda: 1e9 if opened.cuts else 0.0)  # a while later
        yield opened


@pytest.fixture
def ana(line: Line, shared_sql: Connect) -> Iterator[SharedStore]:
    """By way of the line."""
    schema = shared_sql().schema
    store = SharedStore(shared.connect(line.url, schema, "film"), Clock(), memory_store().sql, Team.me("ana"))
    store.complete()
    yield store
    store.close()


@pytest.mark.parametrize(("when", "how"), CUTS)
def test_an_answer_is_recorded_once_wherever_the_line_is_cut(
    when: str, how: str, line: Line, ana: SharedStore, shared_sql: Connect
) -> None:
    attempt = ana.begin(order())
    line.cut(b"COMMIT", when, how)
    assert ana.move(attempt, State.ACCEPTED, Facts(task="t")).task == "t"
    assert line.cuts == 1
    moves = "SELECT count(*) FROM event WHERE type = 'moved'"
    assert shared_sql().query(moves) == [(1,)]


@pytest.mark.parametrize(("when", "how"), CUTS)
def test_an_intent_whose_fate_is_unknown_is_not_sent_and_frees_its_key(
    when: str, how: str, line: Line, ana: SharedStore
) -> None:
    ana.begin(order("v1:other"))
    line.cut(b"COMMIT", when, how)
    with pytest.raises(StateUnreachable):
        ana.begin(order(marker="m"))
    assert line.cuts == 1
    present = [attempt for attempt in ana.attempts("v1:aa") if attempt.state is State.SUBMITTING]
    assert len(present) == (when == "after")  # as `submit` looks, and closes it
    for attempt in present:
        ana.move(attempt, State.NOT_SENT)
    assert ana.begin(order()).state is State.SUBMITTING


def test_silence_for_ever_would_hold_up_the_whole_run(line: Line, ana: SharedStore) -> None:
    """The network answers for a server that does not: only a time of our own ends the wait."""
    line.cut(b"SELECT", "before", "silence")
    with pytest.raises(StateError) as error:
        ana.attempts()
    assert error.value.code == "state-unreachable" and "no answer" in error.value.message
    assert ana.attempts() == ()
