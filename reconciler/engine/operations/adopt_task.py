"""Takes over a provider's task as the result of a key: `recover`, `resolve --task` and `import --task` share it."""

from __future__ import annotations

from reconciler.diagnostics import ClipformError, ProviderError
from reconciler.engine.connections.one_off import ProviderAccess
from reconciler.engine.ports import Transport
from reconciler.engine.run.session import Session
from reconciler.providers.base import NotFound, PollAnswer, PollTrouble
from reconciler.records import LOOKED_AT_AGAIN, Attempt, State
from reconciler.state.budget import NewAttempt
from reconciler.state.store import Facts


def adopt_task(session: Session, attempt: Attempt, task: str, remote: ProviderAccess) -> None:
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


async def _look(task: str, transport: Transport) -> tuple[str, PollAnswer]:
    """At whose account a task was looked for, and how it stands there."""
    return transport.account, await transport.look(task, None)


def _require_known(answer: PollAnswer, alias: str, task: str) -> None:
    if isinstance(answer, NotFound):
        raise ProviderError(f"{alias} does not know a task {task}: {answer.message}", help="look it up in its console")
    if isinstance(answer, PollTrouble):
        raise ProviderError(f"{alias} did not say how task {task} stands: {answer.message}", help="try again later")
