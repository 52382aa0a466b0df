"""`import --task`: use a provider's existing task as the result of a clip's current spec."""

from __future__ import annotations

from functools import partial

from reconciler.diagnostics import ClipformError
from reconciler.engine.connections.one_off import ProviderAccess
from reconciler.engine.operations.adopt_task import adopt_task, begin_with_task, poll_task, require_known
from reconciler.engine.run.session import Session
from reconciler.next_command import command
from reconciler.plan.remedies import describe_attempt
from reconciler.project import endpoints
from reconciler.project.orders import Order
from reconciler.records import BLOCKED, OPEN, State
from reconciler.state.budget import NewAttempt


def import_task(session: Session, order: Order, task: str, marker: str, access: ProviderAccess) -> None:
    """Use a task that was submitted elsewhere as the result of a clip's current key: the next apply downloads it.

    It costs nothing. Raises ClipformError when the clip has a result already or the provider does not know the task.
    """
    wanted = order.wanted
    snapshot = session.store.snapshot()
    previous = snapshot.attempts.get(wanted.key)
    if previous is not None and previous.state is State.UNCERTAIN:  # an interrupted import leaves it so, too
        return adopt_task(session, previous, task, access)
    if wanted.key in snapshot.generations or (previous is not None and previous.state in OPEN | BLOCKED):
        state = describe_attempt(previous) if previous is not None else "it has an artifact"
        raise ClipformError(f"{wanted.clip} needs no other task: {state}", help=command("show", wanted.clip))
    account, answer = access.ask(wanted.provider, partial(poll_task, task))
    require_known(answer, wanted.provider, task)
    config, dialect = access.loaded.project.providers[wanted.provider], access.loaded.dialects[wanted.provider]
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
        begin_with_task(session, new, task, "import")
