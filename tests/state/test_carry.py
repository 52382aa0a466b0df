"""What was bought moves to another ledger and back: by marker and key, as often as one likes, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from state_kit import Clock, Maker, dump, memory_store, order, result

from reconciler.diagnostics import StateError
from reconciler.records import Attempt, LockEntry, Money, State
from reconciler.state.carry import carry, mirror
from reconciler.state.leases import Member, SharedStore
from reconciler.state.ledger import Facts, Ledger
from reconciler.state.sql.port import NONE, Row, Values
from reconciler.state.sql.postgres import PostgreSQL
from reconciler.state.store import Store

NOTHING_BOUGHT = (State.NOT_SENT, State.REFUSED)


@pytest.fixture
def laptop() -> Iterator[Store]:
    with memory_store() as opened:
        yield opened


def plain(attempts: tuple[Attempt, ...]) -> list[Attempt]:
    """Attempts without what each ledger gives them itself."""
    return sorted((replace(attempt, id=0) for attempt in attempts), key=lambda attempt: attempt.marker)


@pytest.mark.parametrize("state", State)
def test_an_attempt_arrives_as_it_is_and_to_carry_again_changes_nothing(
    state: State, laptop: Store, memory: Store
) -> None:
    Maker(memory).attempt(State.DONE, "v1:other")
    before = plain(memory.attempts())
    bought = Maker(laptop).attempt(state, account="key-1", cost_micros=7, currency="USD", endpoint="https://x.example")
    carried = carry(laptop, memory)
    new = [attempt for attempt in plain(memory.attempts()) if attempt not in before]
    assert new == ([] if state in NOTHING_BOUGHT else plain((bought,)))
    assert [attempt.marker for attempt in carried.attempts] == [attempt.marker for attempt in new]
    assert [memory.account(attempt) for attempt in memory.attempts(bought.key)] == ["key-1"] * len(new)
    assert memory.spent().get("USD") == (None if state in NOTHING_BOUGHT else laptop.spent()["USD"])
    stored = dump(memory)
    again = carry(laptop, memory)
    assert dump(memory) == stored and not (again.attempts or again.results or again.waiting or again.twice)


def test_there_and_back_and_to_a_new_machine_everything_is_as_it_was(laptop: Store, memory: Store) -> None:
    maker = Maker(laptop)
    for number, state in enumerate(set(State) - {*NOTHING_BOUGHT, State.FETCHED, State.DONE}):
        maker.attempt(state, f"v1:{number}", cost_micros=number + 1, currency="USD")
    done = maker.attempt(State.DONE, "v1:aa", cost_micros=5, currency="USD")
    laptop.look(maker.attempt(State.UNCERTAIN, "v1:bb"), 123.0)
    laptop.count(LockEntry(**done.take_provenance(), sha256="cd" * 32, suffix=".mp4"))
    carry(laptop, memory)
    for back in (laptop, memory_store()):
        carry(memory, back, [])
        carry(memory, back, [])
        assert plain(back.attempts()) == plain(laptop.attempts()) == plain(memory.attempts())
        assert back.generation("v1:aa") == laptop.generation("v1:aa")
        assert back.spent() == memory.spent() == laptop.spent()
        assert back.snapshot().counted == laptop.snapshot().counted != {}


@pytest.mark.parametrize("later", [State.STALLED, State.READY, State.DONE, State.VANISHED, State.FAILED])
def test_what_went_on_elsewhere_is_not_turned_back(later: State, laptop: Store, memory: Store) -> None:
    first = Maker(laptop).attempt(State.ACCEPTED)
    carry(laptop, memory)
    maker = Maker(memory)
    [there] = memory.attempts()
    for step in {State.DONE: [State.READY, State.FETCHED, State.DONE]}.get(later, [later]):
        there = maker.step(there, step)
    carry(laptop, memory)
    assert [attempt.state for attempt in memory.attempts()] == [later]
    carry(memory, laptop, [])
    assert plain(laptop.attempts()) == plain(memory.attempts()) and first.task == "task-1"


def test_a_task_that_is_looked_at_again_is_looked_at_again_there(laptop: Store, memory: Store) -> None:
    again = Maker(laptop).attempt(State.FAILED)
    carry(laptop, memory)
    again = laptop.move(again, State.ACCEPTED, Facts(task=again.task))
    carry(laptop, memory, [])
    assert plain(memory.attempts()) == plain(laptop.attempts())
    memory.move(memory.attempts()[0], State.FAILED)
    for step in (State.READY, State.FETCHED, State.DONE):
        again = Maker(laptop).step(again, step)
    carry(laptop, memory)
    assert plain(memory.attempts()) == plain(laptop.attempts())
    assert memory.generation(again.key) is not None


@pytest.mark.parametrize("known", [State.SUBMITTING, State.UNCERTAIN])
def test_what_turns_out_not_to_be_bought_frees_its_key_there_too(known: State, laptop: Store, memory: Store) -> None:
    attempt = Maker(memory).attempt(known)
    carry(memory, laptop, [])
    memory.move(attempt, State.NOT_SENT)
    carry(memory, laptop, [])
    assert plain(laptop.attempts()) == plain(memory.attempts())
    laptop.begin(order())


def test_of_two_purchases_of_a_key_the_second_waits_and_both_are_kept(laptop: Store, memory: Store) -> None:
    mine = Maker(laptop).attempt(State.ACCEPTED, cost_micros=5, currency="USD")
    memory.begin(order())  # so that task ids differ
    Maker(memory).store.move(memory.attempts()[0], State.NOT_SENT)
    theirs = Maker(memory).attempt(State.ACCEPTED, cost_micros=5, currency="USD")
    assert [attempt.marker for attempt in carry(laptop, memory).waiting] == [mine.marker]
    assert [a.marker for a in memory.attempts() if a.state is State.ACCEPTED] == [theirs.marker]
    for step in (State.READY, State.FETCHED, State.DONE):
        theirs = Maker(memory).step(theirs, step)
    assert carry(laptop, memory).waiting == []
    assert {a.marker for a in memory.attempts() if a.money is not Money.RELEASED} == {mine.marker, theirs.marker}
    assert memory.spent()["USD"].micros == 10


def test_of_two_videos_of_a_key_both_are_named_and_the_one_there_stays(laptop: Store, memory: Store) -> None:
    for store, sha256 in ((laptop, "ab" * 32), (memory, "cd" * 32)):
        ready = Maker(store).attempt(State.READY, task=None, endpoint=sha256[:4])
        store.move(store.fetched(ready, *result(ready, sha256)), State.DONE)
    [(one, other)] = carry(laptop, memory).twice
    assert (one.sha256, other.sha256) == ("ab" * 32, "cd" * 32)
    kept = memory.generation("v1:aa")
    assert kept is not None and kept.sha256 == "cd" * 32
    assert {attempt.sha256 for attempt in memory.attempts()} == {"ab" * 32, "cd" * 32}


def test_drafts_stay_where_they_are(laptop: Store, memory: Store) -> None:
    Maker(laptop).attempt(State.DONE, kind="draft")
    carry(laptop, memory)
    assert memory.attempts() == () and memory.generation("v1:aa") is None


def test_only_what_the_project_needs_comes_from_a_ledger_of_several(shared_sql: object, laptop: Store) -> None:
    from state_kit import Clock

    from reconciler.state.ledger import Ledger

    assert callable(shared_sql)
    ours, theirs = (Store(shared_sql(name), Clock(), memory_store().sql) for name in ("film", "other"))
    ours.complete()
    Maker(ours).attempt(State.DONE, "v1:ours")
    for key in ("v1:followed", "v1:theirs"):
        Maker(theirs).attempt(State.DONE, key)
    carry(Ledger(shared_sql("film"), Clock()), laptop, ["v1:followed", "v1:nowhere"])
    assert {attempt.key for attempt in laptop.attempts()} == {"v1:ours"}
    assert {*laptop.snapshot().generations} == {"v1:ours", "v1:followed"}


class Counting(SharedStore):
    """Counts the attempts and results that are read of a ledger."""

    def reset(self) -> None:
        self.read = 0
        ask = type(self.sql).query

        def query(statement: str, values: Values = NONE) -> list[Row]:
            rows = ask(self.sql, statement, values)  # type: ignore[arg-type]
            self.read += len(rows) if statement.startswith(("SELECT key", "SELECT sha256", "SELECT provider")) else 0
            return rows

        self.sql.query = query  # type: ignore[method-assign]


@pytest.fixture
def shared(shared_sql: Callable[..., PostgreSQL]) -> Counting:
    store = Counting(shared_sql(), Clock(), memory_store().sql, Member("ana", "ana@mac"))
    store.complete()
    return store


def same(ledger: Counting, own: Store, keys: list[str]) -> None:
    """A mirror that compared only what is newer has what one that compares all has."""
    whole = memory_store()
    mirror(ledger, whole)
    assert plain(own.attempts()) == plain(whole.attempts())
    assert [own.generation(key) for key in keys] == [whole.generation(key) for key in keys]


def test_a_mirror_compares_only_what_is_newer(shared: Counting) -> None:
    own, maker = memory_store(), Maker(shared)
    keys = [f"v1:{number}" for number in range(5)]
    for key in keys[:3]:
        maker.attempt(State.ACCEPTED, key)
    maker.attempt(State.FETCHED, keys[3])
    mirror(shared, own)
    shared.reset()
    mirror(shared, own)
    assert shared.read == 0  # nothing is newer, so nothing is read
    maker.step(shared.attempts(keys[0])[0], State.READY)
    maker.attempt(State.FETCHED, keys[4])
    shared.forget(keys[3])
    shared.reset()
    mirror(shared, own)
    assert shared.read <= 8
    same(shared, own, keys)
    assert own.generation(keys[3]) is None


def test_a_forgotten_result_does_not_come_back_from_a_mirror(shared: Counting) -> None:
    own = memory_store()
    Maker(shared).attempt(State.FETCHED)
    mirror(shared, own)
    shared.forget("v1:aa")
    assert carry(own, shared).results == [] and shared.generation("v1:aa") is None
    again = Maker(shared).attempt(State.ACCEPTED)  # it is bought again while the mirror still has the first
    mirror(shared, own)
    assert own.generation("v1:aa") is None
    assert own.attempts()[-1].marker == again.marker


def test_a_mirror_of_a_backup_that_was_put_back_compares_all(shared: Counting) -> None:
    """Numbers of events are given again after a restore: the same number is then another event."""
    own, maker = memory_store(), Maker(shared)
    maker.attempt(State.ACCEPTED, "v1:a")
    mirror(shared, own)
    with shared.transaction():
        shared.sql.execute("ALTER TABLE event DISABLE TRIGGER USER")
        shared.sql.execute("UPDATE event SET time = time - 5")
        shared.sql.execute("ALTER TABLE event ENABLE TRIGGER USER")
        shared.sql.execute("UPDATE attempt SET message = 'as the backup has it', state = 'stalled'")
    mirror(shared, own)
    assert [attempt.state for attempt in own.attempts()] == [State.STALLED]


def test_a_project_that_gets_another_name_brings_all_it_bought_to_a_mirror(
    shared_sql: Callable[..., PostgreSQL], shared: Counting
) -> None:
    own, spot = memory_store(), Ledger(shared_sql("spot"), Clock())
    Maker(shared).attempt(State.ACCEPTED, "v1:a", cost_micros=3, currency="USD")
    spot.begin(order("v1:b", cost_micros=4, currency="USD"))
    mirror(shared, own)
    shared.relabel("spot", "film")
    assert (shared.spent()["USD"].micros, spot.spent()) == (7, {})
    mirror(shared, own)
    assert {attempt.key for attempt in own.attempts()} == {"v1:a", "v1:b"}


def test_a_request_that_was_carried_takes_a_slot_of_its_account(shared: Counting, laptop: Store) -> None:
    Maker(laptop).attempt(State.ACCEPTED, account="key-1")
    carry(laptop, shared)
    with pytest.raises(StateError) as error:
        shared.begin(order("v1:b", account="key-1", slots=1))
    assert error.value.code == "no-slot"
