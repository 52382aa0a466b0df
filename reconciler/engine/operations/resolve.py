"""Settling what only a person can: an uncertain submission, a task to adopt, a task to cancel.

Every answer of the user is recorded as an event before anything follows from it. Nothing here sends a submit: what may
be sent again is planned and confirmed by the next apply.
"""

from __future__ import annotations

from contextlib import suppress

from reconciler.diagnostics import ClipformError, UsageError
from reconciler.engine.run.session import Session
from reconciler.plan.remedies import describe_attempt
from reconciler.records import ABANDONED, BLOCKED, Attempt, State
from reconciler.state.store import Facts


def in_doubt(session: Session, clip: str, take: int | None, number: int | None = None) -> Attempt:
    """The one attempt of a clip that waits for the user. Raises UsageError when there is none, or several."""
    waiting = [a for a in _of(session, clip) if a.state in BLOCKED | {State.STALLED}]
    found = [a for a in waiting if take in (None, a.take) and number in (None, a.id)]
    if not found:
        which = clip if number is None else f"attempt {number} of {clip}"
        raise UsageError(f"nothing of {which} waits to be settled", help="clipform status")
    if len({a.take for a in found}) < len(found):
        versions = "; ".join(f"attempt {a.id}: {describe_attempt(a)}" for a in sorted(found, key=lambda a: a.id))
        raise UsageError(f"{clip} has several that wait: {versions}", help="say which: --attempt N")
    if len(found) > 1:
        takes = ", ".join(f"take {a.take} ({a.state.value})" for a in found)
        raise UsageError(f"{clip} has several that wait: {takes}", help="say which: --take N")
    return found[0]


def _of(session: Session, clip: str) -> list[Attempt]:
    """The newest attempts of all keys that were sent for a clip of that name, or that a clip of that name wants now."""
    wanted: set[str] = set()
    with suppress(ClipformError):  # a broken spec keeps nobody from settling by the name that it had
        loaded = session.workspace.load(session.draft)
        wanted = {order.wanted.key for order in loaded.orders if order.clip.name == clip}
    return [a for a in session.store.snapshot().attempts.values() if a.clip == clip or a.key in wanted]


def allow_again(session: Session, attempt: Attempt) -> None:
    """The user's consent to pay once more: the attempt counts as paid in full, the next apply may make a new one."""
    with session.store.transaction():
        session.store.note("resolve --resubmit", attempt.clip, {"attempt": attempt.id, "key": attempt.key})
        session.store.move(attempt, State.ABANDONED, Facts(reason="resubmit", message="given up to be made again"))


def give_up(session: Session, attempt: Attempt) -> None:
    """The user gives it up: it counts as paid in full, and its key is not bought again unasked."""
    with session.store.transaction():
        session.store.note("resolve --abandon", attempt.clip, {"attempt": attempt.id, "key": attempt.key})
        session.store.move(attempt, State.ABANDONED, Facts(reason=ABANDONED, message="given up by the user"))
