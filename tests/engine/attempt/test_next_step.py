"""The next thing to do, for every state an attempt may be in and every situation a run may be in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.engine.attempt.next_step import (
    Fetch,
    Leave,
    Next,
    PlaceOutput,
    Poll,
    Situation,
    Stall,
    Stop,
    Submit,
    next_step,
    poll_delay,
)
from reconciler.providers.base import Pace
from reconciler.records import BLOCKED, MOVES, OPEN, Attempt, Money, State

PACE = Pace(first_poll=4.0, poll_min=2.0, poll_max=10.0, timeout=100.0)
FRESH = Situation(now=1000.0, pace=PACE)
SENT = replace(FRESH, sent=True)
POLLED = replace(FRESH, polls=1)
DETACHED = replace(SENT, detach=True)
LINK = replace(POLLED, link=True)
PASSING = replace(POLLED, detach=True)
PASSING_LINK = replace(LINK, detach=True)
SITUATIONS = {
    "fresh": FRESH,
    "sent": SENT,
    "polled": POLLED,
    "detached": DETACHED,
    "detached, polled": PASSING,
    "with a link": LINK,
    "detached, with a link": PASSING_LINK,
}


def attempt(state: State, age: float = 10.0) -> Attempt:
    return Attempt(
        1,
        state,
        "marker",
        1000.0 - age,
        1000.0,
        key="v1:aa",
        clip="hero",
        take=1,
        provider="studio",
        kind="ark",
        model="m1",
        task="t1",
    )


TABLE: dict[State, dict[str, Next]] = {
    State.SUBMITTING: dict.fromkeys(SITUATIONS, Stop()),
    State.ACCEPTED: {
        "fresh": Poll(0.0),
        "sent": Poll(4.0),
        "polled": Poll(2.0),
        "detached": Leave(),
        "detached, polled": Leave(),
        "with a link": Fetch(),
        "detached, with a link": Fetch(),
    },
    State.STALLED: {
        "fresh": Poll(0.0),
        "sent": Poll(0.0),
        "polled": Leave(),
        "detached": Poll(0.0),
        "detached, polled": Leave(),
        "with a link": Fetch(),
        "detached, with a link": Fetch(),
    },
    State.READY: {
        **dict.fromkeys(SITUATIONS, Poll(0.0)),
        "detached, polled": Leave(),
        "with a link": Fetch(),
        "detached, with a link": Fetch(),
    },
    State.FETCHED: dict.fromkeys(SITUATIONS, PlaceOutput()),
    **{state: dict.fromkeys(SITUATIONS, Stop()) for state in BLOCKED},
    **{
        state: {**dict.fromkeys(SITUATIONS, Submit()), "sent": Stop(), "detached": Stop()}
        for state in set(State) - OPEN - BLOCKED
    },
    State.FAILED: dict.fromkeys(SITUATIONS, Stop()),  # it counts as paid
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_state_has_one_next_step(state: State, situation: str) -> None:
    assert next_step(attempt(state), SITUATIONS[situation]) == TABLE[state][situation]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_was_never_tried_is_submitted(situation: str) -> None:
    assert next_step(None, SITUATIONS[situation]) == Submit()


def test_only_a_closed_attempt_makes_room_for_another_request() -> None:
    """Whatever the run is like, no state from which the attempt can still move by itself leads to a submit."""
    for state in State:
        for situation in SITUATIONS.values():
            if isinstance(next_step(attempt(state), situation), Submit):
                assert MOVES.get(state, frozenset()) <= {State.ACCEPTED}  # its own task, by the user's word


def test_a_failure_that_is_free_is_submitted_again() -> None:
    free = replace(attempt(State.FAILED), money=Money.RELEASED)
    assert next_step(free, SITUATIONS["fresh"]) == Submit()


def test_no_run_sends_twice_for_one_key() -> None:
    assert not any(isinstance(next_step(attempt(state), SENT), Submit) for state in State)


@pytest.mark.parametrize(
    ("age", "polls", "expected"),
    [(99.0, 1, Poll(2.0)), (100.0, 1, Poll(2.0)), (100.1, 1, Stall()), (1e9, 0, Poll(0.0)), (1e9, 7, Stall())],
)
def test_past_its_deadline_a_task_is_looked_at_once_more_and_then_left(age: float, polls: int, expected: Next) -> None:
    assert next_step(attempt(State.ACCEPTED, age), replace(FRESH, polls=polls)) == expected


def test_a_clock_that_went_back_stalls_nothing() -> None:
    assert next_step(attempt(State.ACCEPTED, age=-5000.0), POLLED) == Poll(2.0)


@pytest.mark.parametrize(
    ("situation", "age", "delay"),
    [
        (FRESH, 500.0, 0.0),  # resumed: at once
        (SENT, 0.0, 4.0),  # no history: the vendor's own first pace
        (replace(SENT, expected=60.0), 0.0, 48.0),  # sleep through most of what it took before
        (replace(SENT, expected=60.0), 40.0, 8.0),
        (replace(SENT, expected=60.0), 500.0, 4.0),
        (replace(SENT, expected=1.0), 0.0, 4.0),
        (replace(SENT, polls=1), 0.0, 2.0),
        (replace(SENT, polls=2), 0.0, 2.6),
        (replace(SENT, polls=7), 0.0, 2.0 * 1.3**6),
        (replace(SENT, polls=8), 0.0, 10.0),  # never slower than the slowest pace
        (replace(SENT, polls=100_000), 0.0, 10.0),  # a day of polling twice a second ends in no overflow
    ],
)
def test_polls_come_ever_slower_within_the_vendors_bounds(situation: Situation, age: float, delay: float) -> None:
    assert poll_delay(situation, age) == pytest.approx(delay)
