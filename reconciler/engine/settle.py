"""Settling what only a person can: an uncertain submission, a task to adopt, a task to cancel.

Every answer of the user is recorded as an event before anything follows from it. Nothing here sends a submit: what may
be sent again is planned and confirmed by the next apply.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from reconciler.diagnostics import ClipformError, ProviderError, UsageError
from reconciler.engine.connections.one_off import Remote
from reconciler.engine.ports import Transport
from reconciler.engine.session import Session
from reconciler.plan.ways import known
from reconciler.project import endpoints
from reconciler.project.orders import Order
from reconciler.providers.abilities import CancelRefused
from reconciler.providers.base import Cancelled, NoOutput, NotFound, PollAnswer, PollTrouble, Succeeded, Working
from reconciler.records import ABANDONED, BLOCKED, LOOKED_AT_AGAIN, OPEN, Attempt, State
from reconciler.state.budget import NewAttempt
from reconciler.state.store import Facts


def in_doubt(session: Session, clip: str, take: int | None, number: int | None = None) -> Attempt:
    """The one attempt of a clip that waits for the user. Raises UsageError when there is none, or several."""
    waiting = [a for a in _of(session, clip) if a.state in BLOCKED | {State.STALLED}]
    found = [a for a in waiting if take in (None, a.take) and number in (None, a.id)]
    if not found:
        which = clip if number is None else f"attempt {number} of {clip}"
        raise UsageError(f"nothing of {which} waits to be settled", help="clipform status")
    if len({a.take for a in found}) < len(found):
        versions = "; ".join(f"attempt {a.id}: {known(a)}" for a in sorted(found, key=lambda a: a.id))
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


def adopt_task(session: Session, attempt: Attempt, task: str, remote: Remote) -> None:
    """An uncertain submission is this task, or a task whose result did not come is looked at again: the provider must
    know it. Raises ClipformError when it does not."""
    if attempt.state in LOOKED_AT_AGAIN and task != attempt.task:
        raise ClipformError(f"{attempt.clip} is task {attempt.task}; only an uncertain one can take another id")
    if attempt.state not in LOOKED_AT_AGAIN | {State.UNCERTAIN}:
        raise ClipformError(f"{attempt.clip} is {attempt.state.value}; only an uncertain one can take a task id")
    answer = remote.ask_about(attempt, session.store.account(attempt), lambda transport: transport.look(task, None))
    _require_known(answer, attempt.provider, task)
    session.receipts.make_room()
    with session.store.transaction():
        session.store.note("resolve --task", attempt.clip, {"attempt": attempt.id, "task": task})
        recognise(session, attempt, task, "user")


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


def import_task(session: Session, order: Order, task: str, marker: str, remote: Remote) -> None:
    """Take a task that was submitted elsewhere as what a clip says now: the next apply collects it, free of charge."""
    wanted = order.wanted
    snapshot = session.store.snapshot()
    before = snapshot.attempts.get(wanted.key)
    if before is not None and before.state is State.UNCERTAIN:  # an import that was cut short leaves it so, too
        return adopt_task(session, before, task, remote)
    if wanted.key in snapshot.generations or (before is not None and before.state in OPEN | BLOCKED):
        state = known(before) if before is not None else "it has an artifact"
        raise ClipformError(f"{wanted.clip} needs no other task: {state}", help=f"clipform show {wanted.clip}")
    account, answer = remote.ask(wanted.provider, partial(_look, task))
    _require_known(answer, wanted.provider, task)
    config, dialect = remote.loaded.project.providers[wanted.provider], remote.loaded.dialects[wanted.provider]
    new = NewAttempt(
        key=wanted.key,
        clip=wanted.clip,
        take=wanted.take,
        provider=wanted.provider,
        kind=wanted.kind,
        model=wanted.model,
        marker=marker,
        document=wanted.document,
        cost_micros=0,
        currency=wanted.cost.currency,
        account=account,
        endpoint=endpoints.endpoint(config, dialect),
    )
    session.receipts.make_room()
    with session.store.transaction():
        session.store.note("import --task", wanted.clip, {"task": task, "key": wanted.key})
        take_over(session, new, task, "import")


def take_over(session: Session, new: NewAttempt, task: str, by: str) -> None:
    """A task that no request of this state made becomes an attempt, in a transaction and with room for its receipts.
    They are written before the commit, and after all that may refuse it: a later run learns from them what a crash, or
    a lost database, took."""
    attempt = session.store.begin(new)
    session.store.move(attempt, State.ACCEPTED, Facts(task=task, evidence={"by": by}))
    session.receipts.intent(attempt, new.account)
    session.receipts.accepted(attempt, task)


def recognise(session: Session, attempt: Attempt, task: str, by: str) -> None:
    """An attempt in doubt is this task. As `take_over`; the receipts know its intent."""
    session.store.move(attempt, State.ACCEPTED, Facts(task=task, evidence={"by": by}))
    session.receipts.accepted(attempt, task)


def cancel(session: Session, clip: str, take: int | None, remote: Remote) -> str:
    """Drop a task that is still queued; what became of it, in words. Raises ClipformError when it was not cancelled."""
    found = [a for a in _of(session, clip) if a.state is State.ACCEPTED and take in (None, a.take)]
    if len(found) != 1:
        raise UsageError(f"{clip} has {len(found)} tasks in flight", help="clipform show CLIP, and --take N")
    [attempt] = found
    task = attempt.task or ""
    account = session.store.account(attempt)
    answer = remote.ask_about(attempt, account, partial(_cancelled, task))
    match answer:
        case Cancelled():
            session.store.note("cancel", clip, {"task": task})
            session.store.move(attempt, State.CANCELLED, Facts(message="cancelled by the user"))
            return f"task {task} was cancelled"
        case None:
            raise ProviderError(f"kind {attempt.kind} cannot cancel a task", help="clipform apply collects its result")
        case CancelRefused(message) | PollTrouble(message) | NotFound(message):
            help = "its result is kept: clipform apply collects it"
            raise ProviderError(f"task {task} was not cancelled: {message}", help=help)


async def _cancelled(task: str, transport: Transport) -> Cancelled | CancelRefused | NotFound | PollTrouble | None:
    """Cancel, and look again: a task that had begun meanwhile goes on, and is owed."""
    answer = await transport.cancel(task)
    if not isinstance(answer, Cancelled):
        return answer
    match await transport.look(task, None):
        case Working() | Succeeded() | NoOutput():
            return CancelRefused("the provider said so, and still has it")
        case PollTrouble() as trouble:
            return CancelRefused(f"the provider said so, and nothing confirms it: {trouble.message}")
    return answer


async def _look(task: str, transport: Transport) -> tuple[str, PollAnswer]:
    """At whose account a task was looked for, and how it stands there."""
    return transport.account, await transport.look(task, None)


def _require_known(answer: PollAnswer, alias: str, task: str) -> None:
    if isinstance(answer, NotFound):
        raise ProviderError(f"{alias} does not know a task {task}: {answer.message}", help="look it up in its console")
    if isinstance(answer, PollTrouble):
        raise ProviderError(f"{alias} did not say how task {task} stands: {answer.message}", help="try again later")
