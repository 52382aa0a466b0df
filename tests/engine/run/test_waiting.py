"""A run that waits says why and until when, ends soon where nothing listens, and ends in time with `timeout`."""

from __future__ import annotations

import pytest

from reconciler.events import Event, EventKind, Summary
from reconciler.project.model import Choice
from reconciler.providers.base import NotSent, PollTrouble, Reply, Request, Unknown
from tests.reliability.simulator.sim import HEAD, Sim

PAIR = "clips:\n  hero: {prompt: a lamp}\n  intro: {prompt: a candle}\n"
MANY = "clips:\n" + "".join(f"  clip-{n}: {{prompt: lamp {n}}}\n" for n in range(30))
CLOSED = "127.0.0.1:9 refuses connections"


def results(summary: Summary) -> dict[str, str]:
    return {outcome.clip: outcome.result.value for outcome in summary.outcomes}


def waits(sim: Sim) -> list[tuple[str, float | None, int | None]]:
    """Reason, seconds and tries so far of each wait for a next try."""
    events: list[Event] = [event for event in sim.notes.events if event.kind is EventKind.WAITING]
    return [(event.message, event.wait, event.tries) for event in events if event.wait is not None]


def refuse(sim: Sim, patch: pytest.MonkeyPatch, times: int | None = None) -> list[str]:
    """Let nothing listen at the vendor's address, for so many requests; returns the list of refused ones."""
    refused: list[str] = []
    submit, poll = sim.server.answer_submit, sim.server.answer_poll

    def is_closed(request: Request) -> bool:
        if times is None or len(refused) < times:
            refused.append(request.method)
            return True
        return False

    def answer_submit(request: Request) -> Reply | NotSent | Unknown:
        return NotSent(CLOSED, closed=True) if is_closed(request) else submit(request)

    def answer_poll(request: Request) -> Reply | PollTrouble:
        return PollTrouble(CLOSED, closed=True) if is_closed(request) else poll(request)

    patch.setattr(sim.server, "answer_submit", answer_submit)
    patch.setattr(sim.server, "answer_poll", answer_poll)
    return refused


def test_a_busy_provider_is_named_with_the_time_of_the_next_try(sim: Sim) -> None:
    sim.server.plan("hero", submit=["refuse-busy", "refuse-busy", "accept"])
    assert sim.apply().exit_code == 0
    assert waits(sim) == [("studio is busy", 2.0, 1), ("studio is busy", 4.0, 2)]
    assert len(sim.server.ledger) == 1


def test_an_outage_while_a_task_runs_is_named_at_each_wait(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([PollTrouble("no network", retry_after=3.0), PollTrouble("no network")])
    poll = sim.server.answer_poll
    monkeypatch.setattr(sim.server, "answer_poll", lambda request: next(answers, None) or poll(request))
    assert sim.apply().exit_code == 0
    assert [(reason, tries) for reason, _, tries in waits(sim)] == [
        ("no network", 1),
        ("no network", 1),
        ("no network", 2),
    ]
    assert waits(sim)[0][1] == 3.0


def test_an_address_where_nothing_listens_ends_the_run_within_seconds(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.write(HEAD.replace("kind: fake,", "kind: fake, concurrency: 2,") + MANY)
    began = sim.clock.monotonic()
    refused = refuse(sim, monkeypatch)
    summary = sim.apply()
    assert set(results(summary).values()) == {"failed", "skipped"}
    assert summary.exit_code == 3
    assert sim.clock.monotonic() - began <= 10.0
    assert len(refused) <= 6
    assert CLOSED in sim.notes.text()
    assert set(sim.states()) <= {"not_sent"}
    monkeypatch.undo()
    assert sim.server.ledger == {}


def test_nothing_is_in_doubt_or_bought_twice_after_an_address_that_was_closed(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(sim, monkeypatch)
    assert sim.apply().in_doubt == 0
    monkeypatch.undo()


def test_a_server_that_restarts_during_a_run_is_waited_for(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    sim.write(HEAD.replace("kind: fake,", "kind: fake, concurrency: 1,") + PAIR)
    done = []
    poll = sim.server.answer_poll

    def answer_poll(request: Request) -> Reply | PollTrouble:
        done.append(request)
        return PollTrouble(CLOSED, closed=True) if 2 <= len(done) <= 6 else poll(request)

    monkeypatch.setattr(sim.server, "answer_poll", answer_poll)
    assert results(sim.apply()) == {"hero": "succeeded", "intro": "succeeded"}
    assert len(sim.server.ledger) == 2


def test_a_task_in_flight_at_an_address_where_nothing_listens_stays_on_record(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.apply(detach=True)
    with monkeypatch.context() as patch:
        refuse(sim, patch)
        began = sim.clock.monotonic()
        summary = sim.apply()
    assert (results(summary), summary.exit_code) == ({"hero": "blocked"}, 3)
    assert sim.clock.monotonic() - began <= 30.0
    assert f"{CLOSED}; its task is on record" in sim.notes.text()
    assert sim.apply().exit_code == 0
    assert len(sim.server.ledger) == 1


def test_a_timeout_leaves_what_is_in_flight_and_starts_nothing_more(sim: Sim) -> None:
    sim.write(HEAD.replace("kind: fake,", "kind: fake, concurrency: 1,") + PAIR)
    sim.server.works = 1000
    began = sim.clock.monotonic()
    summary = sim.apply(timeout=60.0)
    assert sim.clock.monotonic() - began == 60.0
    assert (results(summary), summary.exit_code) == ({"hero": "left", "intro": "skipped"}, 3)
    assert (summary.interrupted, summary.late) == (False, True)
    assert "the time of --timeout is over; its task is on record clipform apply carries on" in sim.notes.text()
    sim.server.works = 1
    assert sim.apply(timeout=6000.0).exit_code == 0
    assert len(sim.server.ledger) == 2


def test_a_run_that_is_done_in_time_ends_as_without_a_timeout(sim: Sim) -> None:
    summary = sim.apply(timeout=6000.0)
    assert (summary.exit_code, summary.late) == (0, False)


@pytest.mark.parametrize(("concurrency", "rounds"), [(1, 4), (2, 2), (4, 1), (9, 1)])
def test_a_plan_takes_as_many_rounds_as_the_provider_has_slots_for(sim: Sim, concurrency: int, rounds: int) -> None:
    sim.apply()
    clips = "".join(f"  clip-{n}: {{prompt: lamp {n}}}\n" for n in range(4))
    sim.write(HEAD.replace("kind: fake,", f"kind: fake, concurrency: {concurrency},") + f"clips:\n{clips}")
    workspace = sim.workspace
    plan = workspace.plan(Choice(), workspace.load()).plan
    once = next(step.expected for step in plan.steps if step.expected is not None)
    assert once > 0
    assert plan.expected == pytest.approx(rounds * once)
