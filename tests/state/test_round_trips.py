"""How often a process waits for a database that is far away. Each wait is a text that goes out: they are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from state_kit import Clock, memory_store, order, result
from team_kit import USD, Connect, Team, code

from reconciler.plan.windows import Window
from reconciler.records import State
from reconciler.state import shared
from reconciler.state.budget import Caps
from reconciler.state.leases import SharedStore
from reconciler.state.ledger import Facts
from reconciler.state.sql.port import Statement
from reconciler.state.wants import Want, Wants
from tests.program.line import Line, line_to

CAPS = Caps("USD", run_micros=100, total_micros=100, windows=(Window("a day", 100, clips=None, unrecorded=0),))
BUSY = {**USD, "account": "studio", "slots": 5, "spacing": 1e-9, "run": 1, "after": 0}


@pytest.fixture
def line(database: str) -> Iterator[Line]:
    with line_to(database) as opened:
        yield opened


@pytest.fixture
def far(line: Line, shared_sql: Connect) -> Iterator[SharedStore]:
    """Its connection is open, and the records are known to be whole."""
    store = SharedStore(
        shared.connect(line.url, shared_sql().schema, "film"), Clock(), memory_store().sql, Team.me("a")
    )
    store.complete()
    store.begin(order("v1:first"))
    yield store
    store.close()


@pytest.fixture
def trips(line: Line) -> Callable[[Callable[[], object]], int]:
    def count(act: Callable[[], object]) -> int:
        before = line.chunks
        act()
        return line.chunks - before

    return count


Trips = Callable[[Callable[[], object]], int]


def test_a_claim_takes_two_round_trips(far: SharedStore, trips: Trips) -> None:
    """One to lock and to ask, whatever is asked; one to write and to commit."""
    assert trips(lambda: far.begin(order(**BUSY), CAPS)) == 2


def test_every_move_takes_one_round_trip(far: SharedStore, trips: Trips) -> None:
    attempt = far.begin(order())
    assert trips(lambda: far.move(attempt, State.ACCEPTED, Facts(task="t"))) == 1
    (accepted,) = far.attempts(attempt.key)
    assert trips(lambda: far.fetched(accepted, *result(accepted))) == 1
    assert [each.state for each in far.attempts(attempt.key)] == [State.DONE]


def test_what_is_renewed_noted_and_asked_takes_one_round_trip(far: SharedStore, trips: Trips) -> None:
    assert trips(far.renew) == 1
    assert trips(lambda: far.pause("studio", 5.0)) == 1
    assert trips(lambda: far.note("a fact")) == 1
    assert trips(far.attempts) == 1


def test_to_open_the_records_and_to_merge_receipts_takes_two_round_trips_each(
    line: Line, trips: Trips, far: SharedStore, tmp_path: Path
) -> None:
    sql = shared.connect(line.url, far.sql.schema, "film")  # type: ignore[attr-defined]
    sql.query("SELECT 1")  # connects
    assert trips(lambda: shared.open_store(sql, tmp_path, Clock(), lambda _: Team.me("b"))) == 2
    assert trips(lambda: far.merge([])) == 2
    sql.close()


def test_a_batch_whose_row_is_missing_changes_nothing(far: SharedStore) -> None:
    attempt = far.begin(order())
    moved = far.move(attempt, State.ACCEPTED, Facts(task="t"))
    before = far.events()
    assert code(lambda: far.move(attempt, State.UNCERTAIN)) == "state-moved"
    assert (far.events(), far.attempts(attempt.key)) == (before, (moved,))


def test_nothing_follows_what_was_committed_with_the_last_statements(far: SharedStore) -> None:
    """It would be outside of the transaction, and without the lock."""

    insert = "INSERT INTO plan (id, time) VALUES ('p', 0)"

    def act(more: Callable[[], object]) -> None:
        with far.sql.transaction():
            far.sql.batch(Statement("SELECT 1"), last=True)
            more()

    assert code(lambda: act(lambda: far.sql.execute(insert))) == "state-io"
    assert code(lambda: act(lambda: far.sql.batch(Statement(insert)))) == "state-io"
    assert far.sql.query("SELECT * FROM plan") == []


def test_the_records_for_a_plan_take_one_round_trip(far: SharedStore, trips: Trips) -> None:
    far.wants = Wants(far.sql)
    assert trips(lambda: far.snapshot(["v1:first"])) == 1
    assert [attempt.key for attempt in far.snapshot(["v1:first"]).attempts.values()] == ["v1:first"]
    assert trips(far.snapshot) == 1


def test_what_is_read_within_a_transaction_does_not_commit_it(far: SharedStore) -> None:
    with pytest.raises(KeyError), far.transaction():
        far.note("undone")
        far.snapshot()
        raise KeyError
    assert [entry for entry in far.events() if entry.type == "note"] == []


def test_orders_for_workers_take_one_round_trip_in_all(far: SharedStore, trips: Trips) -> None:
    wants = Wants(far.sql)
    orders = [Want(f"v1:{number}", 1, "studio", "hero", 1, (), "{}") for number in range(3)]
    assert trips(lambda: wants.hand_over(orders, 1, "")) == 1
    assert list(wants.handed()) == [order.key for order in orders]
