"""`cancel`: drop a task that is still queued at its provider."""

from __future__ import annotations

from functools import partial

from reconciler.diagnostics import ProviderError, UsageError
from reconciler.engine.connections.one_off import ProviderAccess
from reconciler.engine.operations.resolve import _of
from reconciler.engine.ports import Transport
from reconciler.engine.run.session import Session
from reconciler.providers.base import Cancelled, NoOutput, NotFound, PollTrouble, Succeeded, Working
from reconciler.providers.capabilities import CancelRefused
from reconciler.records import State
from reconciler.state.store import Facts


def cancel(session: Session, clip: str, take: int | None, remote: ProviderAccess) -> str:
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
