"""Adopts a provider's task as the result of a key, for `fetch`, `recover`, `resolve --task` and `import --task`."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.diagnostics import ClipformError, ProviderError, StateError
from reconciler.engine.connections.one_off import ProviderAccess
from reconciler.engine.connections.providers import LOCAL
from reconciler.engine.ports import Transport
from reconciler.engine.run.session import Session
from reconciler.next_command import command
from reconciler.project import endpoints
from reconciler.project.model import Loaded
from reconciler.providers.base import NotFound, PollAnswer, PollTrouble
from reconciler.records import LOOKED_AT_AGAIN, Attempt, LockEntry, State
from reconciler.spec.environment import is_local
from reconciler.state.budget import NewAttempt
from reconciler.state.ledger import Facts
from reconciler.state.paths import LOCK_FILE


def adopt_task(
    session: Session,
    attempt: Attempt,
    task: str,
    access: ProviderAccess,
    require: Callable[[PollAnswer], None] = lambda answer: None,
) -> None:
    """Record that an uncertain or abandoned request is this task, or have a task without a result looked at again.

    Raises ClipformError when the provider does not know the task; `require` may refuse what it says of it.
    """
    if attempt.state is not State.UNCERTAIN and attempt.task not in (None, task):
        raise ClipformError(f"{attempt.clip} is task {attempt.task}; only an uncertain request can take another id")
    if attempt.state not in LOOKED_AT_AGAIN | {State.UNCERTAIN, State.ABANDONED}:
        raise ClipformError(f"{attempt.clip} is {attempt.state.value}; only an uncertain request can take a task id")
    answer = access.ask_about(attempt, session.store.account(attempt), lambda transport: transport.poll(task, None))
    require_known(answer, attempt.provider, task)
    require(answer)
    session.receipts.make_room()
    with session.store.transaction():
        session.store.note("resolve --task", attempt.clip, {"attempt": attempt.id, "task": task})
        assign_task(session, attempt, task, "user")


def adopt_again(session: Session, attempt: Attempt, task: str, access: ProviderAccess) -> None:
    """Open an attempt again whose own task may have a video after all; it counts at its price, as it did."""
    answer = access.ask_about(attempt, session.store.account(attempt), lambda transport: transport.poll(task, None))
    require_known(answer, attempt.provider, task)
    session.receipts.make_room()
    with session.store.transaction():
        session.store.note("import --task", attempt.clip, {"attempt": attempt.id, "task": task})
        assign_task(session, attempt, task, "import")


_EMPTY_HANDED = (State.UNCERTAIN, State.NOT_SENT, State.REFUSED, State.FAILED, State.CANCELLED)
"""States of an attempt that do not contradict a purchase which the lock file records."""


def adopt_line(
    session: Session, loaded: Loaded, line: LockEntry, marker: Callable[[], str], access: ProviderAccess
) -> None:
    """Record an attempt for the task of a line of the lock file: a run then downloads it.

    Raises ClipformError, saying why, where that is not possible.
    """
    attempt = session.store.snapshot().attempts.get(line.key)
    if line.task is None or line.kind == LOCAL:
        raise ClipformError(f"{LOCK_FILE} names no task of a provider")
    if attempt is not None and attempt.state not in _EMPTY_HANDED:
        raise ClipformError(f"its request here is {attempt.state.value}", help=command("show", line.clip))
    config = loaded.project.providers.get(line.provider)
    if config is None or config.kind != line.kind:
        help = "declare it again to reach its tasks"
        raise ProviderError(f"provider {line.provider} (kind {line.kind}) is not declared", help=help)
    require_known(
        access.ask(line.provider, lambda remote: remote.poll(line.task or "", None)), line.provider, line.task
    )
    endpoint = endpoints.endpoint(config, loaded.dialects[line.provider])
    if line.rehearsal and not is_local(endpoint):
        raise ClipformError("it was made in a rehearsal, at an address of another machine")
    order = loaded.by_ident.get((line.clip, line.take))
    document = order.wanted.document if order is not None and order.wanted.key == line.key else ""
    new = NewAttempt(marker(), document, **line.take_provenance(task=None), endpoint=endpoint)
    session.receipts.make_room()
    try:
        with session.store.transaction():
            if attempt is not None and attempt.state is State.UNCERTAIN:
                assign_task(session, attempt, line.task, LOCK_FILE)
            else:
                begin_with_task(session, new, line.task, LOCK_FILE)
    except StateError as error:
        if error.code != "task-taken":
            raise
        raise ClipformError(f"task {line.task} belongs to another request here") from error


def begin_with_task(session: Session, new: NewAttempt, task: str, by: str) -> None:
    """Record an attempt for a task that no request of this state made.

    The caller has a transaction and room for the receipts. They are written before the commit, and after everything
    that may refuse it: a later run restores from them what a crash or a lost database took.
    """
    attempt = session.store.begin(new)
    session.store.move(attempt, State.ACCEPTED, Facts(task=task, evidence={"by": by}))
    session.receipts.intent(attempt, new.account)
    session.receipts.accepted(attempt, task)


def assign_task(session: Session, attempt: Attempt, task: str, by: str) -> None:
    """Record the task of an uncertain attempt. As `begin_with_task`; the receipts have its intent already."""
    session.store.move(attempt, State.ACCEPTED, Facts(task=task, evidence={"by": by}))
    session.receipts.accepted(attempt, task)


async def poll_task(task: str, transport: Transport) -> tuple[str, PollAnswer]:
    """Return the account of the transport, and the state of a task there."""
    return transport.account, await transport.poll(task, None)


def require_known(answer: PollAnswer, alias: str, task: str) -> None:
    """Raise ProviderError unless the answer shows that the provider knows the task."""
    if isinstance(answer, NotFound):
        raise ProviderError(f"{alias} does not know a task {task}: {answer.message}", help="look it up in its console")
    if isinstance(answer, PollTrouble):
        raise ProviderError(f"{alias} did not give the state of task {task}: {answer.message}", help="try again later")
