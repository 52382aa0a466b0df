"""What an attempt needs next: a pure decision from its record. One clear answer, as a union that callers match."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.providers.base import Pace
from reconciler.records import BLOCKED, Attempt, State


@dataclass(frozen=True, slots=True)
class Submit:
    """Write the intent, send the one request."""


@dataclass(frozen=True, slots=True)
class Poll:
    """Ask how the task stands, after `after` seconds."""

    after: float


@dataclass(frozen=True, slots=True)
class LookUp:
    """It may have been accepted: see what the provider's list says."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Download from the link at hand."""


@dataclass(frozen=True, slots=True)
class PlaceOutput:
    """The artifact is durable: put it at its output."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Past the deadline: record it and leave the task to a later run."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Nothing more to do in this run; the task goes on at the provider."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Over: failed, refused or blocked."""


Next = Submit | Poll | LookUp | Fetch | PlaceOutput | Stall | Leave | Stop

_AGAIN = frozenset({State.NOT_SENT, State.ABANDONED, State.CANCELLED, State.DONE})


@dataclass(frozen=True, slots=True)
class Situation:
    """What the decision rests on beside the record. `sent`: this run has already sent a request for the key; `lists`:
    the provider has a list that this run has not yet asked about it."""

    now: float
    pace: Pace
    polls: int = 0  # made by this run
    link: bool = False
    sent: bool = False
    detach: bool = False
    expected: float | None = None
    lists: bool = False


def next_step(attempt: Attempt | None, here: Situation) -> Next:
    """The next thing to do for a key whose artifact is not at hand."""
    if attempt is None:
        return Submit()
    match attempt.state:
        case State.SUBMITTING:
            return Stop()  # its owner is another coroutine or a dead process: never re-sent
        case State.UNCERTAIN if here.lists:
            return LookUp()
        case State.ACCEPTED:
            return _await(attempt, here)
        case State.STALLED:
            return Leave() if here.polls else Poll(0.0)
        case State.READY if here.link:
            return Fetch()
        case State.READY:
            return Leave() if here.detach and here.polls else Poll(0.0)
        case State.FETCHED:
            return PlaceOutput()
        case state if state in BLOCKED:
            return Stop()
        case state if state in _AGAIN and not here.sent:
            return Submit()
        case State.REFUSED | State.FAILED if not here.sent:
            return Submit()  # the plan allowed it: final refusals are blocked there
    return Stop()


def _await(attempt: Attempt, here: Situation) -> Next:
    if here.detach and (here.sent or here.polls):  # what an earlier run sent may be ready: it is asked once
        return Leave()
    age = here.now - attempt.created
    if age > here.pace.timeout and here.polls:
        return Stall()
    return Poll(poll_delay(here, age))


def poll_delay(here: Situation, age: float) -> float:
    """Seconds until the next look: at once for a resumed task, first by the expected time, then ever slower."""
    if here.polls == 0:
        if not here.sent:
            return 0.0
        return here.pace.first_poll if here.expected is None else max(here.pace.first_poll, 0.8 * here.expected - age)
    growth = 1.3 ** min(here.polls - 1, 64)  # bounded: after 2,700 polls it would be beyond a float
    return float(min(here.pace.poll_max, here.pace.poll_min * growth))
