"""`import --task`: use a provider's existing task as the result of a clip's current spec."""

from __future__ import annotations

from functools import partial

from reconciler.diagnostics import ClipformError
from reconciler.engine.connections.one_off import ProviderAccess
from reconciler.engine.operations.adopt_task import _look, _require_known, adopt_task, take_over
from reconciler.engine.run.session import Session
from reconciler.plan.remedies import describe_attempt
from reconciler.project import endpoints
from reconciler.project.orders import Order
from reconciler.records import BLOCKED, OPEN, State
from reconciler.state.budget import NewAttempt


def import_task(session: Session, order: Order, task: str, marker: str, remote: ProviderAccess) -> None:
    """Take a task that was submitted elsewhere as what a clip says now: the next apply collects it, free of charge."""
    wanted = order.wanted
    snapshot = session.store.snapshot()
    before = snapshot.attempts.get(wanted.key)
    if before is not None and before.state is State.UNCERTAIN:  # an import that was cut short leaves it so, too
        return adopt_task(session, before, task, remote)
    if wanted.key in snapshot.generations or (before is not None and before.state in OPEN | BLOCKED):
        state = describe_attempt(before) if before is not None else "it has an artifact"
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
