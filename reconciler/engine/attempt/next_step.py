"""Decides from an attempt's record what to do next. Pure; the answer is a union that callers match."""

from __future__ import annotations

from reconciler.frozen import dataclass
from reconciler.providers.base import Pace
from reconciler.records import BLOCKED, Attempt, State, is_paid_failure


@dataclass(frozen=True, slots=True)
class Submit:
    """Write the intent, send the one request."""


@dataclass(frozen=True, slots=True)
class Poll:
    """Poll the task after `after` seconds."""

    after: float


@dataclass(frozen=True, slots=True)
class LookUp:
    """It may have been accepted: look it up in the provider's list."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Download from the current link."""


@dataclass(frozen=True, slots=True)
class PlaceOutput:
    """The artifact is durable: put it at its output."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Past the deadline: record it and leave the task to a later run."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Do nothing more in this run; the task goes on at the provider."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End: failed, refused or blocked."""


Next = Submit | Poll | LookUp | Fetch | PlaceOutput | Stall | Leave | Stop

_AGAIN = frozenset({State.NOT_SENT, State.ABANDONED, State.CANCELLED, State.DONE})


@dataclass(frozen=True, slots=True)
class Situation:
    """What the decision depends on beside the record. `sent`: this run has sent a request for the key. `lists`: the
    provider has a list that this run has not yet looked at for it."""

    now: float
    pace: Pace
    polls: int = 0  # made by this run
    link: bool = False
    sent: bool = False
    detach: bool = False
    expected: float | None = None
    lists: bool = False


def next_step(attempt: Attempt | None, situation: Situation) -> Next:
    """Return the next step for a key whose artifact is not in the store."""
    if attempt is None:
        return Submit()
    match attempt.state:
        case State.SUBMITTING:
            return Stop()  # its owner is another coroutine or a dead process: never sent again
        case State.UNCERTAIN if situation.lists:
            return LookUp()
        case State.ACCEPTED | State.STALLED | State.READY if situation.link:
            return Fetch()
        case State.ACCEPTED:
            return _await(attempt, situation)
        case State.STALLED:
            return Leave() if situation.polls else Poll(0.0)
        case State.READY:
            return Leave() if situation.detach and situation.polls else Poll(0.0)
        case State.FETCHED:
            return PlaceOutput()
        case state if state in BLOCKED:
            return Stop()
        case state if state in _AGAIN and not situation.sent:
            return Submit()
        case State.REFUSED | State.FAILED if not situation.sent and not is_paid_failure(attempt):
            return Submit()  # the plan allowed it: final refusals are blocked there
    return Stop()


def _await(attempt: Attempt, situation: Situation) -> Next:
    if situation.detach and (situation.sent or situation.polls):
        return Leave()  # what an earlier run sent may be ready: it is asked once
    age = situation.now - attempt.created
    if age > situation.pace.timeout and situation.polls:
        return Stall()
    return Poll(poll_delay(situation, age))


def poll_delay(situation: Situation, age: float) -> float:
    """Return the seconds until the next poll: 0 for a resumed task, else near the expected time, then ever slower."""
    if situation.polls == 0:
        if not situation.sent:
            return 0.0
        first = situation.pace.first_poll
        return first if situation.expected is None else max(first, 0.8 * situation.expected - age)
    growth = 1.3 ** min(situation.polls - 1, 64)  # bounded: after 2,700 polls it would be beyond a float
    return float(min(situation.pace.poll_max, situation.pace.poll_min * growth))
