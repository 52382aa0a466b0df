"""`cancel`: cancel a task that is still queued at its provider."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from reconciler.diagnostics import ProviderError, UsageError
from reconciler.engine.connections.one_off import ProviderAccess
from reconciler.engine.operations.resolve import attempts_of
from reconciler.engine.ports import Transport
from reconciler.engine.run.session import Session
from reconciler.next_command import command
from reconciler.project.shared_state import user_and_machine
from reconciler.providers.base import Cancelled, NoOutput, NotFound, PollTrouble, Succeeded, Working
from reconciler.providers.capabilities import CancelRefused
from reconciler.records import BLOCKED, OPEN, State
from reconciler.state.ledger import Facts
from reconciler.state.wants import WITHDRAWN, Wants


def cancel(session: Session, clip: str, take: int | None, access: ProviderAccess) -> str:
    """Cancel a task that is still queued, or withdraw an order that no worker has begun; return a message. Raises
    ClipformError when it was not cancelled."""
    if withdrawn := _withdraw(
        session, [w.key for w in access.loaded.wanted if w.clip == clip and take in (None, w.take)]
    ):
        return f"{withdrawn} withdrawn from the workers; nothing was bought"
    running = [a for a in attempts_of(session, clip) if a.state is State.ACCEPTED and take in (None, a.take)]
    if len(running) != 1:
        raise UsageError(f"{clip} has {len(running)} tasks in flight", help=f"{command('show', 'CLIP')}, and --take N")
    [attempt] = running
    task = attempt.task or ""
    answer = access.ask_about(attempt, session.store.account(attempt), partial(_cancel, task))
    match answer:
        case Cancelled():
            session.store.note("cancel", clip, {"task": task})
            session.store.move(attempt, State.CANCELLED, Facts(message="cancelled by the user"))
            return f"task {task} was cancelled"
        case None:
            raise ProviderError(
                f"kind {attempt.kind} cannot cancel a task", help=f"{command('apply')} collects its result"
            )
        case CancelRefused(message) | PollTrouble(message) | NotFound(message):
            help = f"its result is kept: {command('apply')} collects it"
            raise ProviderError(f"task {task} was not cancelled: {message}", help=help)


def _withdraw(session: Session, keys: Collection[str]) -> str:
    """Take orders back for which nothing was sent; return how many, empty if there are none."""
    wants: Wants | None = getattr(session.store, "wants", None)
    if wants is None:
        return ""
    with session.store.transaction():  # no worker begins one meanwhile
        queued = [key for key, order in wants.handed(keys).items() if not order.kind]
        unsent = [key for key in queued if all(a.state not in OPEN | BLOCKED for a in session.store.attempts(key))]
        for key in unsent:
            wants.end(key, WITHDRAWN, f"withdrawn by {user_and_machine()}")
    return f"{len(unsent)} order{' was' if len(unsent) == 1 else 's were'}" if unsent else ""


async def _cancel(task: str, transport: Transport) -> Cancelled | CancelRefused | NotFound | PollTrouble | None:
    """Cancel, and poll again: a task that had started meanwhile goes on and must be paid."""
    answer = await transport.cancel(task)
    if not isinstance(answer, Cancelled):
        return answer
    match await transport.poll(task, None):
        case Working() | Succeeded() | NoOutput():
            return CancelRefused("the provider confirmed it, but still has the task")
        case PollTrouble() as trouble:
            return CancelRefused(f"the provider confirmed it, but its task could not be checked: {trouble.message}")
    return answer
