"""Several machines with one ledger: each law, and that it is broken when the line that keeps it is planted wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest
from state_kit import order, result
from team_kit import USD, Connect, Team, code

from reconciler.diagnostics import Refused, StateError
from reconciler.records import State
from reconciler.state import accounts, leases
from reconciler.state.budget import Caps
from reconciler.state.leases import SharedStore
from reconciler.state.ledger import Facts
from reconciler.state.sql import postgres
from reconciler.state.sql.postgres import PostgreSQL

# --- laws ---------------------------------------------------------------------------------


def a_living_purchase_is_left_alone(team: Team) -> None:
    ana, now = team.member("ana"), 1_700_000_000.0
    attempt = ana.begin(order())
    for bob in (team.member("bob", now + 86_400), team.member("bill", now - 86_400)):  # their clocks are a day off
        assert bob.recover_orphans() == ()
        assert bob.holder(attempt) == "ana"
        assert code(partial(bob.move, attempt, State.UNCERTAIN)) == "elsewhere"
    assert ana.move(attempt, State.ACCEPTED, Facts(task="t")).state is State.ACCEPTED


def a_dead_one_is_taken_over_and_its_holder_has_lost_it(team: Team) -> None:
    ana, bob = team.member("ana"), team.member("bob")
    attempt = ana.move(ana.begin(order()), State.ACCEPTED, Facts(task="t"))
    team.end_leases()
    stalled = bob.move(attempt, State.STALLED)
    accepted = bob.move(stalled, State.ACCEPTED)  # as ana remembers it
    assert code(lambda: ana.move(accepted, State.VANISHED)) == "elsewhere"
    assert ana.holder(accepted) == "bob"


def an_earlier_process_of_the_same_copy_has_lost_it(team: Team) -> None:
    """A file system whose locks exclude nobody: only the fence tells the two apart."""
    before, after = team.member("ana"), team.member("ana")
    attempt = before.move(before.begin(order()), State.ACCEPTED, Facts(task="t"))
    accepted = after.move(after.move(attempt, State.STALLED), State.ACCEPTED)
    assert code(lambda: before.move(accepted, State.VANISHED)) == "elsewhere"


def two_at_the_edge(team: Team, new: dict[str, object], caps: Caps | None) -> list[str]:
    """The error code of a second order that came before the first was committed."""
    ana, bob = team.member("ana"), team.member("bob")
    answers: list[str] = []

    def buy() -> None:
        try:
            bob.begin(order("v1:b", **new), caps)
            answers.append("bought")
        except (StateError, Refused) as error:
            answers.append(error.code)

    with ana.transaction():
        ana.begin(order("v1:a", **new), caps)
        second = threading.Thread(target=buy)
        second.start()
        while second.is_alive() and not team.is_waiting():
            pass
    second.join()
    return answers


def no_slot_is_given_twice(team: Team) -> None:
    assert two_at_the_edge(team, {"account": "studio", "slots": 1}, None) == ["no-slot"]


def no_turn_is_taken_twice(team: Team) -> None:
    assert two_at_the_edge(team, {"account": "studio", "spacing": 3600.0}, None) == ["no-turn"]


def no_money_is_spent_twice(team: Team) -> None:
    assert two_at_the_edge(team, {**USD, "run": 1}, Caps("USD", total_micros=10)) == ["budget"]


def no_cap_of_the_database_is_passed(team: Team) -> None:
    with team.sql.transaction():
        team.sql.execute("INSERT INTO cap (project, per, currency, micros) VALUES ('', 'day', 'USD', 10)")
    assert two_at_the_edge(team, USD, None) == ["cap"]


def a_decision_that_is_out_of_date_buys_nothing(team: Team) -> None:
    """While ana waits for a slot, bob buys, makes and closes the key: it is not open, and bought all the same."""
    ana, bob = team.member("ana"), team.member("bob")
    ready = bob.move(bob.move(bob.begin(order(after=0)), State.ACCEPTED, Facts(task="t")), State.READY)
    assert bob.fetched(ready, *result(ready)).state is State.DONE
    assert code(lambda: ana.begin(order(after=0))) == "elsewhere"
    assert ana.begin(order(after=ready.id)).state is State.SUBMITTING  # who knows, and wants another one


def a_mark_stands_for_a_whole_snapshot(team: Team) -> None:
    """What has seen the newest number has seen every older one: none commits later."""
    ana, bob, reader = team.member("ana"), team.member("bob"), team.member("reader")
    second = threading.Thread(target=bob.note, args=("second",))
    with ana.transaction():
        ana.note("first")
        second.start()
        while second.is_alive() and not team.is_waiting():
            pass
        _, newest = reader.mark()
        seen = len(reader.events())
    second.join()
    assert len([entry for entry in reader.events() if entry.seq <= newest]) == seen


def a_commit_lets_the_others_in(team: Team) -> None:
    ana, bob = team.member("ana"), team.member("bob")
    ana.begin(order("v1:a"))
    impatient = team.connected()
    impatient._locks = ("SET LOCAL lock_timeout = '100ms'", *impatient._locks[2:])
    bob.sql = impatient
    assert bob.begin(order("v1:b")).state is State.SUBMITTING


def a_purchase_is_held_for_long_only_until_it_is_accepted(team: Team) -> None:
    """A request may take minutes to be answered; after that nobody waits so long for one whose sender died."""
    ana = team.member("ana")
    attempt = ana.begin(order(patience=1000.0))
    ana.renew()
    left = "SELECT extract(epoch FROM lease_until - clock_timestamp()) > 500 FROM attempt"
    assert team.sql.query(left) == [(True,)]
    ana.move(attempt, State.ACCEPTED, Facts(task="t"))
    assert team.sql.query(left) == [(False,)]


LAWS = [
    a_purchase_is_held_for_long_only_until_it_is_accepted,
    a_decision_that_is_out_of_date_buys_nothing,
    a_mark_stands_for_a_whole_snapshot,
    a_commit_lets_the_others_in,
    a_living_purchase_is_left_alone,
    a_dead_one_is_taken_over_and_its_holder_has_lost_it,
    an_earlier_process_of_the_same_copy_has_lost_it,
    no_slot_is_given_twice,
    no_turn_is_taken_twice,
    no_money_is_spent_twice,
    no_cap_of_the_database_is_passed,
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_law_holds(law: Callable[[Team], None], team: Team) -> None:
    law(team)


# --- planted bugs -------------------------------------------------------------------------


def no_fence(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(leases, "_RENEW", leases._RENEW.replace("AND owner = :owner AND fence = :fence", ""))


def owner_without_fence(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(leases, "_RENEW", leases._RENEW.replace("AND fence = :fence", ""))


def everybody_is_an_orphan(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SharedStore, "_orphans", lambda store: super(SharedStore, store)._orphans())


def lease_by_local_clock(patch: pytest.MonkeyPatch) -> None:
    """Who takes over asks its own clock, which runs ahead."""
    mine = "to_timestamp(:now)"

    def hold(store: SharedStore, *about: object) -> object:
        store._me["now"] = store._clock() + 40 * 365 * 86_400  # beyond any lease that the database gave
        return original(store, *about)  # type: ignore[arg-type]

    original = SharedStore._hold
    patch.setattr(SharedStore, "_hold", hold)
    patch.setattr(leases, "_TAKE", leases._TAKE.replace("lease_until <= clock_timestamp()", f"lease_until <= {mine}"))


def no_lock(patch: pytest.MonkeyPatch) -> None:
    original = PostgreSQL.__init__

    def without(sql: PostgreSQL, *words: str) -> None:
        original(sql, *words)
        sql._locks = (*sql._locks[:-1], sql._locks[-1].replace("pg_advisory_xact_lock", "abs"))

    patch.setattr(PostgreSQL, "__init__", without)


def count_in_the_locking_statement(patch: pytest.MonkeyPatch) -> None:
    original = PostgreSQL.__init__

    def together(sql: PostgreSQL, *words: str) -> None:
        original(sql, *words)
        lock, sql._locks = sql._locks[-1], (*sql._locks[:-1], sql._locks[-1].replace("pg_advisory_xact_lock", "abs"))
        locked = f"WITH locked AS MATERIALIZED ({lock}) SELECT holder, count(*) FROM locked CROSS JOIN attempt WHERE"
        patch.setattr(accounts, "_BUSY", accounts._BUSY.replace("SELECT holder, count(*) FROM attempt WHERE", locked))

    patch.setattr(PostgreSQL, "__init__", together)


def session_lock(patch: pytest.MonkeyPatch) -> None:
    original = PostgreSQL.__init__

    def until_the_end(sql: PostgreSQL, *words: str) -> None:
        original(sql, *words)
        sql._locks = (*sql._locks[:-1], sql._locks[-1].replace("pg_advisory_xact_lock", "pg_advisory_lock"))

    patch.setattr(PostgreSQL, "__init__", until_the_end)


def old_decisions_count(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SharedStore, "_require_newest", lambda store, new: None)


def long_after_the_answer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(leases, "_RENEW", leases._RENEW.replace(leases._SPENT, "lease_until"))


def short_before_the_answer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(leases, "_LATER", leases._LATER.replace(leases._SPENT, "'epoch'"))


PLANTED = [
    (long_after_the_answer, a_purchase_is_held_for_long_only_until_it_is_accepted),
    (short_before_the_answer, a_purchase_is_held_for_long_only_until_it_is_accepted),
    (old_decisions_count, a_decision_that_is_out_of_date_buys_nothing),
    (no_lock, a_mark_stands_for_a_whole_snapshot),
    (session_lock, a_commit_lets_the_others_in),
    (no_fence, a_dead_one_is_taken_over_and_its_holder_has_lost_it),
    (owner_without_fence, an_earlier_process_of_the_same_copy_has_lost_it),
    (everybody_is_an_orphan, a_living_purchase_is_left_alone),
    (lease_by_local_clock, a_living_purchase_is_left_alone),
    (no_lock, no_slot_is_given_twice),
    (no_lock, no_turn_is_taken_twice),
    (no_lock, no_money_is_spent_twice),
    (no_lock, no_cap_of_the_database_is_passed),
    (count_in_the_locking_statement, no_slot_is_given_twice),
]


@pytest.mark.parametrize(("bug", "law"), PLANTED, ids=lambda part: part.__name__)
def test_a_planted_bug_breaks_its_law(
    bug: Callable[[pytest.MonkeyPatch], None],
    law: Callable[[Team], None],
    shared_sql: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres, "_IDLE", 1)  # without the lock they wait for each other's rows
    bug(monkeypatch)
    team = Team(shared_sql)
    with pytest.raises((AssertionError, pytest.fail.Exception, StateError)):
        law(team)
    for store in team.stores:
        store.sql.close()
