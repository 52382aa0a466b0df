"""What working copies with one ledger do to each other beside the laws of `test_leases`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from state_kit import order, result
from team_kit import USD, Team, code

from reconciler.diagnostics import StateError
from reconciler.records import State
from reconciler.state.ledger import Facts
from reconciler.state.receipts import Receipt


def test_a_working_copy_goes_on_with_its_own_attempts_at_once(team: Team) -> None:
    dead = team.member("ana")
    dead.begin(order())
    after = team.member("ana")
    assert [attempt.state for attempt in after.recover_orphans()] == [State.UNCERTAIN]


def test_a_task_that_comes_after_its_attempt_was_taken_over_is_recorded(team: Team) -> None:
    ana, bob = team.member("ana"), team.member("bob")
    attempt = ana.begin(order())
    team.end_leases()
    bob.recover_orphans()
    assert ana.move(attempt, State.ACCEPTED, Facts(task="t")).task == "t"
    assert bob.attempt(attempt.id).state is State.ACCEPTED


def test_a_commit_that_succeeded_without_an_answer_is_read_back(team: Team) -> None:
    ana = team.member("ana")
    attempt = ana.begin(order())
    moved = ana.move(attempt, State.ACCEPTED, Facts(task="t"))
    assert ana.move(attempt, State.ACCEPTED, Facts(task="t")) == moved  # sent again, as after a cut connection


def test_a_result_is_closed_at_once_and_everybody_has_it(team: Team) -> None:
    ana, bob = team.member("ana"), team.member("bob")
    ready = ana.move(ana.move(ana.begin(order()), State.ACCEPTED, Facts(task="t")), State.READY)
    assert ana.fetched(ready, *result(ready)).state is State.DONE
    assert bob.holder(ready) == ""
    snapshot = bob.snapshot(["v1:aa"])
    assert [*snapshot.generations] == ["v1:aa"]
    assert bob.snapshot(["v1:other"]).generations == {}
    assert bob.snapshot().generations == snapshot.generations


def test_who_ends_gives_back_what_others_may_go_on_with(team: Team) -> None:
    ana, bob = team.member("ana"), team.member("bob")
    sent = ana.begin(order("v1:a"))
    accepted = ana.move(ana.begin(order("v1:b")), State.ACCEPTED, Facts(task="t"))
    ana.close()
    assert bob.holder(accepted) == ""
    assert bob.holder(sent) == "ana"  # its request may still be under way
    assert bob.move(accepted, State.STALLED).state is State.STALLED


def test_renewal_keeps_what_is_held(team: Team) -> None:
    ana, bob = team.member("ana"), team.member("bob")
    attempt = ana.begin(order())
    team.end_leases()
    ana.renew()
    assert bob.holder(attempt) == "ana"


def test_what_is_held_elsewhere_waits_for_its_receipts(team: Team) -> None:
    ana, bob = team.member("ana"), team.member("bob")
    attempt = ana.begin(order(marker="m"))
    about = attempt.take_provenance(task=None)
    line = Receipt(seq=1, store="s", event="void", time=1.0, marker="m", attempt=attempt.id, **about)
    assert bob.merge([line]).moved == ()
    assert [moved.state for moved in ana.merge([line]).moved] == [State.NOT_SENT]


def test_slots_are_of_the_account_over_all_projects_and_members(team: Team) -> None:
    def buy(number: int) -> int:
        store, bought = members[number], 0
        for count in range(2):
            try:
                store.begin(order(f"v1:{number}-{count}", account="studio", slots=5))
                bought += 1
            except StateError as error:
                assert error.code == "no-slot"
        return bought

    members = [team.member(name, project=project) for name, project in zip("abcdefgh", "xy" * 4, strict=True)]
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(buy, range(8))) == 5


def test_a_cap_for_an_apply_counts_that_apply_alone(team: Team) -> None:
    ana, bob = team.member("ana"), team.member("bob", project="spot")
    with team.sql.transaction():
        team.sql.execute("INSERT INTO cap (project, per, currency, micros) VALUES ('film', 'run', 'USD', 10)")
    ana.begin(order("v1:a", run=1, **USD))
    assert code(lambda: ana.begin(order("v1:b", run=1, **USD))) == "cap"
    ana.begin(order("v1:b", run=2, **USD))
    bob.begin(order("v1:c", run=1, **USD))  # another project's


def test_everybody_sees_who_carries_out_what(team: Team) -> None:
    ana, bob = team.member("ana"), team.member("bob", project="spot")
    sent, taken = ana.begin(order("v1:a", account="studio")), ana.begin(order("v1:b"))
    holders = bob.snapshot().holders
    assert (holders[sent.id].name, holders[sent.id].project, holders[sent.id].account) == ("ana", "film", "studio")
    assert holders[sent.id].is_held and holders[sent.id].until > holders[sent.id].since
    team.end_leases()
    assert not bob.snapshot().holders[sent.id].is_held
    bob.move(taken, State.NOT_SENT)
    assert [*ana.snapshot().holders] == [sent.id]


def test_what_is_open_is_not_forgotten(team: Team) -> None:
    ana, bob = team.member("ana"), team.member("bob")
    attempt = ana.begin(order(**USD))
    assert code(lambda: bob.forget("v1:aa")) == "key-open"
    ready = ana.move(ana.move(attempt, State.ACCEPTED, Facts(task="t")), State.READY)
    ana.fetched(ready, *result(ready))
    spent = ana.spent()
    bob.forget("v1:aa")  # at once: what is over is held by nobody
    assert bob.generation("v1:aa") is None and bob.spent() == spent
    assert ana.begin(order(**USD)).state is State.SUBMITTING


def test_a_request_in_doubt_blocks_a_slot_for_a_day(team: Team) -> None:
    ana = team.member("ana")
    ana.move(ana.begin(order("v1:a", account="studio", slots=1)), State.UNCERTAIN)
    assert code(lambda: ana.begin(order("v1:b", account="studio", slots=1))) == "no-slot"
    with team.sql.transaction():
        team.sql.execute("UPDATE attempt SET begun = begun - interval '25 hours'")
    ana.begin(order("v1:b", account="studio", slots=1))
