"""`import --task`: use a provider's existing task as the result of a clip's current spec."""

from __future__ import annotations

from functools import partial

from reconciler.diagnostics import ClipformError, Refused
from reconciler.engine.attempt.check_video import other_request
from reconciler.engine.connections.one_off import ProviderAccess
from reconciler.engine.operations.adopt_task import adopt_again, adopt_task, begin_with_task, poll_task, require_known
from reconciler.engine.run.session import Session
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.plan.rehearsals import set_aside
from reconciler.plan.remedies import describe_attempt
from reconciler.project import endpoints
from reconciler.project.orders import Order
from reconciler.providers.base import PollAnswer, Succeeded
from reconciler.records import ADOPTED_AGAIN, BLOCKED, OPEN, Attempt, Snapshot, State
from reconciler.state.budget import NewAttempt


@dataclass(frozen=True, slots=True)
class TaskImport:
    """A task to import. `marker` is new; `force`: also if its model, length or picture is another than the clip's."""

    task: str
    marker: str
    force: bool = False


def import_task(session: Session, order: Order, wish: TaskImport, access: ProviderAccess) -> None:
    """Use a task that was submitted elsewhere as the result of a clip's current key: the next apply downloads it.

    It costs nothing. Raises ClipformError when the clip has a result already or the provider does not know the task,
    Refused when the provider shows that it is the task of another request.
    """
    task = wish.task
    wanted = order.wanted
    snapshot, _ = set_aside(session.store.snapshot(), {}, [wanted])
    previous = snapshot.attempts.get(wanted.key)
    if previous is not None and previous.state is State.UNCERTAIN:  # an interrupted import leaves it so, too
        return adopt_task(session, previous, task, access, require=partial(_require_same, order, wish))
    if previous is not None and previous.task == task and _is_over(session, snapshot, previous):
        return adopt_again(session, previous, task, access)
    if _has_video(session, snapshot, wanted.key) or (previous is not None and previous.state in OPEN | BLOCKED):
        state = describe_attempt(previous) if previous is not None else "it has an artifact"
        raise ClipformError(f"{wanted.clip} needs no other task: {state}", help=command("show", wanted.clip))
    account, answer = access.ask(wanted.provider, partial(poll_task, task))
    require_known(answer, wanted.provider, task)
    _require_same(order, wish, answer)
    config, dialect = access.loaded.project.providers[wanted.provider], access.loaded.dialects[wanted.provider]
    new = NewAttempt(
        key=wanted.key,
        clip=wanted.clip,
        take=wanted.take,
        provider=wanted.provider,
        kind=wanted.kind,
        model=wanted.model,
        marker=wish.marker,
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


def _require_same(order: Order, wish: TaskImport, answer: PollAnswer) -> None:
    """Raise Refused for the task of another request, as far as the provider says what was made."""
    differences = other_request(order, answer.actual) if isinstance(answer, Succeeded) else ""
    if differences and not wish.force:
        again = command("import", order.clip.name, "--task", wish.task, "--force")
        text = f"task {wish.task} was not made for {order.clip.name}: {differences}"
        raise Refused(text, help=f"if it is the right one, run:\n{again}", code="other-task")


def _has_video(session: Session, snapshot: Snapshot, key: str) -> bool:
    """True if the store has the artifact of a key."""
    generation = snapshot.generations.get(key)
    return generation is not None and session.objects.has(generation.sha256, ".mp4")


def _is_over(session: Session, snapshot: Snapshot, attempt: Attempt) -> bool:
    """True if an attempt is over and the store has no video of it."""
    return attempt.state in ADOPTED_AGAIN and not _has_video(session, snapshot, attempt.key)
