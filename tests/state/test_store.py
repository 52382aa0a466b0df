"""The store: moves, compare-and-set, one open attempt per key, and transactions that are all or nothing."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest
from state_kit import Clock, Maker, dump, memory_store, order, path_to, result

from reconciler.diagnostics import Refused, StateError
from reconciler.records import BLOCKED, COUNTS, MOVES, OPEN, Binding, Money, Placed, State
from reconciler.state.budget import Spent
from reconciler.state.ledger import Facts
from reconciler.state.store import Store
from tests.state.replay import rebuild


def _code(error: pytest.ExceptionInfo[StateError]) -> str:
    return error.value.code


@pytest.mark.parametrize("start", State)
def test_an_attempt_moves_along_the_table_and_nowhere_else(start: State) -> None:
    for goal in State:
        with memory_store() as store:
            attempt = Maker(store).attempt(start)
            if goal in MOVES.get(start, ()):
                assert store.move(attempt, goal).state is goal
                continue
            before = dump(store)
            with pytest.raises(StateError) as error:
                store.move(attempt, goal)
            assert _code(error) == "illegal-move"
            assert dump(store) == before


def test_every_state_says_what_its_money_counts_as() -> None:
    assert set(COUNTS) == set(State)
    released = {state for state, money in COUNTS.items() if money is Money.RELEASED}
    assert released == {State.NOT_SENT, State.REFUSED}  # everything else may have been bought


@pytest.mark.parametrize("start", [state for state in State if state in OPEN | BLOCKED])
def test_a_key_that_is_not_settled_cannot_be_bought_again(maker: Maker, start: State) -> None:
    maker.attempt(start)
    with pytest.raises(StateError) as error:
        maker.store.begin(order())
    assert _code(error) == "key-open"


def test_a_purchase_that_is_not_permitted_leaves_nothing(memory: Store) -> None:
    def refused() -> None:
        memory.note("asked within the transaction")
        raise Refused("nobody has approved it")

    before = dump(memory)
    with pytest.raises(Refused):
        memory.begin(order(), None, refused)
    assert (memory.attempts(), dump(memory)) == ((), before)
    assert memory.begin(order(), None, lambda: None).state is State.SUBMITTING


@pytest.mark.parametrize("start", [state for state in State if state not in OPEN | BLOCKED])
def test_a_closed_attempt_leaves_its_key_free(maker: Maker, start: State) -> None:
    first = maker.attempt(start)
    second = maker.store.begin(order())
    assert [attempt.id for attempt in maker.store.attempts("v1:aa")] == [first.id, second.id]
    assert maker.store.snapshot().attempts["v1:aa"] == second


def test_a_move_from_a_state_that_is_past_changes_nothing(maker: Maker) -> None:
    stale = maker.attempt()
    maker.store.move(stale, State.ACCEPTED, Facts(task="t1"))
    before = dump(maker.store)
    with pytest.raises(StateError) as error:
        maker.store.move(stale, State.UNCERTAIN)
    assert _code(error) == "state-moved"
    assert dump(maker.store) == before


def test_two_attempts_never_share_a_task_unless_the_providers_or_addresses_differ(maker: Maker) -> None:
    maker.store.move(maker.attempt(key="v1:a"), State.ACCEPTED, Facts(task="t"))
    maker.store.move(maker.attempt(key="v1:d", endpoint="https://away.invalid"), State.ACCEPTED, Facts(task="t"))
    maker.store.move(maker.attempt(key="v1:b", provider="other"), State.ACCEPTED, Facts(task="t"))
    third = maker.attempt(key="v1:c")
    with pytest.raises(StateError) as error:
        maker.store.move(third, State.ACCEPTED, Facts(task="t"))
    assert _code(error) == "task-taken"


def test_a_marker_is_used_once(maker: Maker) -> None:
    maker.store.begin(order("v1:a", marker="m"))
    with pytest.raises(StateError):
        maker.store.begin(order("v1:b", marker="m"))


def test_what_a_move_teaches_is_kept_and_what_it_does_not_say_stays(maker: Maker) -> None:
    attempt = maker.attempt(cost_micros=500_000, currency="USD")
    attempt = maker.store.move(attempt, State.ACCEPTED, Facts(task="t1", message="queued"))
    attempt = maker.store.move(attempt, State.FAILED, Facts(reason="moderation", money=Money.RELEASED))
    assert (attempt.task, attempt.reason, attempt.message, attempt.money) == ("t1", "moderation", "", Money.RELEASED)
    assert attempt.cost_micros == 500_000
    assert attempt.updated > attempt.created


def test_fetched_records_artifact_result_and_state_together(maker: Maker) -> None:
    attempt = maker.attempt(State.READY)
    artifact, generation = result(attempt)
    fetched = maker.store.fetched(attempt, artifact, generation)
    snapshot = maker.store.snapshot()
    assert (fetched.state, fetched.sha256) == (State.FETCHED, artifact.sha256)
    assert snapshot.artifacts == {artifact.sha256: artifact}
    assert snapshot.generations == {"v1:aa": generation}
    assert snapshot.timings == {("ark", "m1"): (12.5,)}


def test_fetched_of_a_task_that_runs_makes_it_ready_first(maker: Maker) -> None:
    attempt = maker.attempt(State.ACCEPTED)
    assert maker.store.fetched(attempt, *result(attempt)).state is State.FETCHED
    moves = [entry.payload["to"] for entry in maker.store.events() if entry.type == "moved"]
    assert moves == ["accepted", "ready", "fetched"]


def test_fetched_of_an_attempt_that_cannot_be_ready_records_nothing(maker: Maker) -> None:
    attempt = maker.attempt(State.UNCERTAIN)
    before = dump(maker.store)
    with pytest.raises(StateError):
        maker.store.fetched(attempt, *result(attempt))
    assert dump(maker.store) == before


def test_a_failure_inside_a_transaction_that_goes_on_leaves_no_trace_of_itself(store: Store) -> None:
    store.begin(order())
    with store.transaction():
        with pytest.raises(StateError):
            store.begin(order())
        store.note("still here")
    assert [entry.type for entry in store.events()] == ["store", "begun", "note"]


def test_a_saved_plan_works_once_and_only_with_its_first_intent(store: Store) -> None:
    with pytest.raises(StateError), store.transaction():
        store.consume_plan("plan-1")
        store.begin(order(marker="m"))
        store.begin(order("v1:b", marker="m"))
    with store.transaction():
        store.consume_plan("plan-1")
        store.begin(order())
    with pytest.raises(Refused) as error:
        store.consume_plan("plan-1")
    assert error.value.code == "plan-used"


def test_the_log_cannot_be_changed(store: Store) -> None:
    for statement in ("UPDATE event SET type = 'x'", "DELETE FROM event"):
        with pytest.raises(Exception, match="append-only"):
            store.sql.connection.execute(statement)


def test_orphans_become_uncertain_and_free_ones_are_handed_back(maker: Maker) -> None:
    paid, free = maker.attempt(key="v1:a"), maker.attempt(key="v1:b", kind="draft")
    maker.attempt(State.ACCEPTED, key="v1:c")
    found = maker.store.recover_orphans(except_kinds=("draft",))
    assert [(attempt.id, attempt.state) for attempt in found] == [
        (paid.id, State.UNCERTAIN),
        (free.id, State.SUBMITTING),
    ]
    assert maker.store.attempt(paid.id).reason == "interrupted"


def test_bindings_and_outputs_are_replaced_and_taken_back(store: Store) -> None:
    binding, record = Binding("hero", 1, "v1:a", "out/hero.mp4", "{}"), Placed("out/hero.mp4", "ab", 10, 7, 9)
    for _ in range(2):
        store.desk.bind(binding)
        store.desk.record_placed(record, "hero")
    snapshot = store.snapshot()
    assert (snapshot.bindings, snapshot.placed) == ({("hero", 1): binding}, {"out/hero.mp4": record})
    store.desk.unbind("hero", 1)
    store.desk.record_unplaced("out/hero.mp4", "hero")
    assert (store.snapshot().bindings, store.snapshot().placed) == ({}, {})


def test_dropping_an_artifact_forgets_its_generations_and_keeps_the_attempt(maker: Maker) -> None:
    attempt = maker.attempt(State.DONE)
    assert attempt.sha256 is not None
    maker.store.drop_artifact(attempt.sha256)
    snapshot = maker.store.snapshot()
    assert (snapshot.artifacts, snapshot.generations) == ({}, {})
    assert snapshot.attempts["v1:aa"] == attempt


def test_an_adopted_file_is_a_result_without_an_attempt(maker: Maker) -> None:
    artifact, generation = result(maker.attempt(State.FAILED))
    maker.store.adopt(generation, artifact, "hero", "import hero.mp4")
    assert maker.store.snapshot().generations == {"v1:aa": generation}
    assert maker.store.events("hero")[-1].payload["note"] == "import hero.mp4"


def test_events_are_by_clip_and_the_newest_are_last(maker: Maker) -> None:
    maker.attempt(State.ACCEPTED, key="v1:a", clip="one")
    maker.attempt(key="v1:b", clip="two")
    assert [entry.type for entry in maker.store.events("one")] == ["begun", "moved"]
    assert [entry.clip for entry in maker.store.events(limit=2)] == ["one", "two"]
    times = [entry.time for entry in maker.store.events()]
    assert times == sorted(times)


@pytest.mark.parametrize("text", ["\ud800 alone", "nul \0 in it", "‮ bidi", "\x1b]8;;x\x07", "片段"])
def test_any_text_of_a_provider_can_be_kept(maker: Maker, text: str) -> None:
    attempt = maker.store.move(maker.attempt(), State.REFUSED, Facts(message=text, evidence={"raw": text}))
    assert attempt.message == text.encode("utf-8", "backslashreplace").decode().replace("\0", r"\x00")
    rebuild(maker.store)
    assert maker.store.attempt(attempt.id) == attempt


def test_a_number_that_is_too_large_is_a_plain_error(store: Store) -> None:
    with pytest.raises(StateError) as error:
        store.begin(order(seed=2**63))
    assert _code(error) == "state-value"


def test_a_reader_sees_what_is_committed_and_cannot_write(tmp_path: Path, store: Store) -> None:
    maker = Maker(store)
    attempt = maker.attempt(State.ACCEPTED)
    reader = Store.read(tmp_path / "state", Clock())
    assert reader is not None
    with reader:
        assert reader.snapshot() == maker.store.snapshot()
        assert reader.id == maker.store.id
        assert reader.sql.connection.execute("PRAGMA temp_store").fetchone() == (2,)  # in memory: it writes no file
        with pytest.raises(StateError) as error:
            reader.move(attempt, State.STALLED)
    assert _code(error) == "read-only"


def test_there_may_be_no_state_yet(tmp_path: Path) -> None:
    assert Store.read(tmp_path / "nowhere", Clock()) is None
    (tmp_path / "clipform.db").touch()  # killed before its first commit
    assert Store.read(tmp_path, Clock()) is None
    Store.open(tmp_path, Clock()).close()
    reader = Store.read(tmp_path, Clock())
    assert reader is not None
    reader.close()


def test_stores_have_different_ids_and_keep_them(tmp_path: Path) -> None:
    ids = []
    for name in ("a", "b", "a"):
        with Store.open(tmp_path / name, Clock()) as store:
            ids.append(store.id)
    assert ids[0] == ids[2] != ids[1]


def test_two_processes_cannot_both_begin_one_key(tmp_path: Path, store: Store) -> None:
    with Store.open(tmp_path / "state", Clock()) as other:
        other.begin(order())
        with pytest.raises(StateError) as error:
            store.begin(order())
    assert _code(error) == "key-open"


def test_opening_what_is_up_to_date_does_not_import_sqlite_utils(tmp_path: Path) -> None:
    Store.open(tmp_path, Clock()).close()
    program = (
        "import sys, pathlib; from reconciler.state.store import Store\n"
        f"Store.open(pathlib.Path({str(tmp_path)!r}), lambda: 0.0).snapshot()\n"
        "sys.exit('sqlite_utils' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_settings_are_those_that_survive_a_power_cut(store: Store) -> None:
    pragmas = {"journal_mode": "persist", "synchronous": 3, "trusted_schema": 0, "foreign_keys": 1}
    assert {name: store.sql.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas} == pragmas


def test_the_shortest_ways_cover_the_table() -> None:
    assert all(path_to(state)[-1:] in ([], [state]) for state in State)
    assert {pair for state in State for pair in itertools.pairwise([State.SUBMITTING, *path_to(state)])} <= {
        (old, new) for old, news in MOVES.items() for new in news
    }


def test_spent_is_by_currency_and_run(maker: Maker) -> None:
    run = maker.store.start_run("apply")
    maker.attempt(State.ACCEPTED, key="v1:a", cost_micros=3, currency="USD", run=run)
    maker.attempt(State.REFUSED, key="v1:b", cost_micros=5, currency="USD", run=run)
    maker.attempt(State.DONE, key="v1:c", cost_micros=7, currency="CNY")
    assert maker.store.spent() == {"USD": Spent(0, 3, 1), "CNY": Spent(7, 0, 1)}
    assert maker.store.spent(run) == {"USD": Spent(0, 3, 1)}


def test_unpriced_is_what_a_run_may_owe_at_no_known_price(maker: Maker) -> None:
    run = maker.store.start_run("apply")
    for number, state in enumerate((State.ACCEPTED, State.UNCERTAIN, State.DONE, State.REFUSED)):
        maker.attempt(state, key=f"v1:{number}", cost_micros=None, run=run)
    maker.attempt(State.DONE, key="v1:free", cost_micros=0, run=run)
    maker.attempt(State.DONE, key="v1:before", cost_micros=None)
    assert maker.store.unpriced(run) == 3


def test_a_busy_database_is_a_plain_error_and_nothing_is_written(tmp_path: Path, store: Store) -> None:
    with Store.open(tmp_path / "state", Clock()) as other, other.transaction():
        store.sql.connection.execute("PRAGMA busy_timeout=0")
        with pytest.raises(StateError) as error:
            store.begin(order())
    assert _code(error) == "state-busy"
    assert [entry.type for entry in store.events()] == ["store"]


def test_asking_for_what_was_never_begun_is_a_plain_error(store: Store) -> None:
    with pytest.raises(StateError) as error:
        store.attempt(7)
    assert _code(error) == "no-attempt"
