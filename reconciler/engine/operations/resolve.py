"""`resolve`: records the user's decision about an uncertain request or a paid task without a result.

Every answer is recorded as an event before anything follows from it. Nothing here sends a submit: the next apply plans
and confirms what may be sent again.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from reconciler.diagnostics import ClipformError, UsageError
from reconciler.engine.run.session import Session
from reconciler.next_command import command
from reconciler.plan.remedies import describe_attempt, of_attempt
from reconciler.records import ABANDONED, BLOCKED, Attempt, State, is_paid_failure


def unresolved_attempt(
    session: Session, clip: str, take: int | None, number: int | None = None, *, reopen: bool = False
) -> Attempt:
    """Return the one unresolved attempt of a clip. Raises UsageError when there is none, or several.

    `reopen`: without one, an abandoned one will do if nothing was bought since.
    """
    wanted, attempts = _wanted(session, clip), attempts_of(session, clip)
    waiting = [a for a in attempts if _waits(a, wanted)]
    if reopen and not waiting:
        waiting = [a for a in attempts if a.state is State.ABANDONED and a.reason == ABANDONED and a.key in wanted]
    chosen = [a for a in waiting if take in (None, a.take) and number in (None, a.id)]
    if not chosen:
        text = (
            f"{clip} has no unresolved attempt" if number is None else f"attempt {number} of {clip} is not unresolved"
        )
        raise UsageError(text, help=command("status"))
    if len({a.take for a in chosen}) < len(chosen):
        versions = "; ".join(f"attempt {a.id}: {describe_attempt(a)}" for a in sorted(chosen, key=lambda a: a.id))
        raise UsageError(f"{clip} has several unresolved attempts: {versions}", help="choose one with --attempt N")
    if len(chosen) > 1:
        takes = ", ".join(f"take {a.take} ({a.state.value})" for a in chosen)
        raise UsageError(f"{clip} has several unresolved attempts: {takes}", help="choose one with --take N")
    return chosen[0]


def unresolved_attempts(session: Session, clips: Collection[str], *, resubmit: bool) -> list[Attempt]:
    """Return all unresolved attempts of several clips: to `resubmit`, only those of keys that a clip wants.

    Raises UsageError if there are none.
    """
    wanted = _wanted(session)
    attempts = [a for a in attempts_of(session, *clips) if _waits(a, wanted) and (a.key in wanted or not resubmit)]
    if not attempts:
        raise UsageError(f"none of these {len(clips)} clips has an unresolved attempt", help=command("status"))
    return sorted(attempts, key=lambda attempt: attempt.id)


def attempts_of(session: Session, *clips: str) -> list[Attempt]:
    """Return the newest attempt of each key that clips of these names were sent for, or want now."""
    wanted = _wanted(session, *clips)
    return [a for a in session.store.snapshot().attempts.values() if a.clip in clips or a.key in wanted]


def _wanted(session: Session, *clips: str) -> set[str]:
    """Return the keys that some clips, or all, want; none with a broken spec, where the name that was sent still
    works."""
    with suppress(ClipformError):
        loaded = session.workspace.load(session.draft)
        return {order.wanted.key for order in loaded.orders if not clips or order.clip.name in clips}
    return set()


def _waits(attempt: Attempt, wanted: set[str]) -> bool:
    """True if the user may decide about an attempt; about a failure only while its key is wanted."""
    return attempt.state in BLOCKED | {State.STALLED} or (attempt.key in wanted and is_paid_failure(attempt))


def allow_again(session: Session, attempt: Attempt) -> None:
    """Record the user's consent to pay once more: the attempt counts as paid, and the next apply may make a new one.

    Raises UsageError if no clip asks for its key any more: nothing would be sent.
    """
    wanted = _wanted(session)
    if wanted and attempt.key not in wanted:
        text = f"no clip uses this request of {attempt.clip} any more, so nothing would be sent"
        raise UsageError(text, help=command("resolve", attempt.clip, "--attempt", str(attempt.id), "--abandon"))
    _end(session, attempt, "resubmit")


def abandon(session: Session, attempt: Attempt) -> tuple[str, ...]:
    """Record that the user abandons it: it counts as paid, and its key is not bought again without consent. Returns
    what may be done next with its take, as commands with their prices."""
    _end(session, attempt, "abandon")
    if attempt.key not in _wanted(session):
        return ()
    takes = sum(order.clip.name == attempt.clip for order in session.workspace.load(session.draft).orders)
    block = of_attempt(session.store.attempt(attempt.id), takes=takes)
    return block.way_out if block is not None else ()


def _end(session: Session, attempt: Attempt, word: str) -> None:
    """Write the decision to database and receipts: a lost database does not ask for it again."""
    session.receipts.make_room()
    with session.store.transaction():
        session.store.abandon(attempt, word)
        session.receipts.consent(attempt, word)
