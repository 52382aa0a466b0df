"""`recover`: a lost or damaged state made anew from what else remembers: the receipts, `clipform.lock`, the artifacts
in the store, the outputs, and the providers.

It never spends, so it acts at once, and may be run again. In the order of what can be relied on most:

    receipts         merged whenever the state is opened: tasks to be collected, requests in doubt
    lock + artifact  the take has its generation again, and its binding and output where they are as they were
    lock + task      the artifact is gone: where the provider still knows the task, it is an attempt to be collected
    in doubt         looked up in the provider's list, as apply does it
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from reconciler.diagnostics import ArtifactError, ClipformError, Refused, StateDamaged, StateError
from reconciler.engine.connections.one_off import Agree, ProviderAccess, refuse
from reconciler.engine.connections.providers import LOCAL, Connect
from reconciler.engine.operations.adopt_task import recognise, take_over
from reconciler.engine.ports import Sink
from reconciler.engine.run.apply import settle_uncertain
from reconciler.engine.run.lockfile_sync import LockfileAdopter
from reconciler.engine.run.session import Session, open_session
from reconciler.plan.model import GENERATES, SENTENCES, Action, Reason, Step
from reconciler.project import endpoints
from reconciler.project.finding import Finding
from reconciler.project.model import Choice, Loaded, Planned
from reconciler.project.orders import Order
from reconciler.project.workspace import LOCK_FILE, Workspace
from reconciler.providers.base import NotFound, PollTrouble
from reconciler.records import BLOCKED, OPEN, Attempt, Binding, LockEntry, State
from reconciler.state import disk
from reconciler.state.budget import NewAttempt
from reconciler.state.lock import Lock
from reconciler.state.open import DATABASE
from reconciler.state.store import Facts, Store

_EMPTY_HANDED = (State.UNCERTAIN, State.NOT_SENT, State.REFUSED, State.FAILED, State.CANCELLED)
"""Attempts of our own that do not speak against a purchase which the lock file knows."""


def recover(
    workspace: Workspace, marker: Callable[[], str], sink: Sink, connect: Connect, agree: Agree = refuse
) -> list[Finding]:
    """Do it; what is known of each clip now. Raises SpecError, StateNewer, Locked before anything is done, and Refused
    from `agree` when all that needs no provider is done."""
    loaded = workspace.load()
    entries = workspace.lock_entries()
    found = list(_set_aside(workspace))
    with open_session(workspace, "recover") as session:
        gone = [entry for entry in entries if not _from_lock(session, loaded, entry)]
        remote = ProviderAccess(loaded, connect, session.store.snapshot(), agree)
        for entry in gone:
            if not _from_lock(session, loaded, entry):  # nor did another take have it
                _collect_later(session, loaded, entry, marker, remote)
        reasons = settle_uncertain(session, loaded, sink, connect)
        planned = workspace.plan(Choice(), loaded, session.store.snapshot(), reasons)
        found += _findings(session, planned)
    return found


def _set_aside(workspace: Workspace) -> Iterator[Finding]:
    """A damaged database is kept under another name: its backup or a specialist may know more."""
    directory = workspace.state_dir(False)
    if not (directory / DATABASE).exists():
        return
    with Lock(directory, "recover", workspace.clock.now):
        try:
            with Store.open(directory, workspace.clock.now) as store:
                store.snapshot()
            return
        except StateDamaged as error:
            if error.code == "state-foreign":
                raise
            name = _free(directory)
            with disk.translated("set the damaged database aside"):
                for suffix in ("", "-journal"):
                    with suppress(FileNotFoundError):
                        (directory / f"{DATABASE}{suffix}").rename(directory / f"{name}{suffix}")
                disk.sync_directory(directory)
            yield Finding("state", True, f"the damaged database is kept as state/{name}")


def _free(directory: Path) -> str:
    number = 1
    while (directory / f"{DATABASE}.damaged-{number}").exists():
        number += 1
    return f"{DATABASE}.damaged-{number}"


# --- the lock file --------------------------------------------------------------------------


def _from_lock(session: Session, loaded: Loaded, entry: LockEntry) -> bool:
    """Whether its artifact is at hand; then it is on record."""
    order = loaded.by_ident.get((entry.clip, entry.take))
    if entry.key not in session.store.snapshot().generations and not _adopt(session, entry, order):
        return False
    _close(session, entry)
    _bind(session, entry, order)
    return True


def _adopt(session: Session, entry: LockEntry, order: Order | None) -> bool:
    """Take the artifact in, from the store or from the output that still holds it."""
    output = order.wanted.output if order is not None else None
    document = order.wanted.document if order is not None and order.wanted.key == entry.key else ""
    try:
        LockfileAdopter.of(session).adopt(entry, document, output)
    except ArtifactError:
        return False
    return True


def _close(session: Session, entry: LockEntry) -> None:
    """The result is here: end the attempt that made it, also where an earlier recovery died before it came to that."""
    snapshot = session.store.snapshot()
    attempt, made = snapshot.attempts.get(entry.key), snapshot.generations[entry.key]
    if attempt is None or attempt.task != entry.task or made.sha256 != entry.sha256:
        return
    with session.store.transaction():
        if attempt.state is State.ACCEPTED:
            attempt = session.store.move(attempt, State.READY, Facts(evidence={"by": LOCK_FILE}))
        if attempt.state is State.READY:
            session.store.move(session.store.fetched(attempt, snapshot.artifacts[made.sha256], made), State.DONE)


def _bind(session: Session, entry: LockEntry, order: Order | None) -> None:
    """The take holds what the lock says, and its output is ours where it is that very file. What is on record stays."""
    snapshot = session.store.snapshot()
    if order is None or (entry.clip, entry.take) in snapshot.bindings:
        return
    output, document = order.wanted.output, snapshot.generations[entry.key].document
    placed = session.placer.record(output, entry.sha256) if output is not None else None
    with session.store.transaction():
        if placed is not None:
            session.store.record_placed(placed, entry.clip)
        session.store.bind(Binding(entry.clip, entry.take, entry.key, output, document))


def _collect_later(
    session: Session, loaded: Loaded, entry: LockEntry, marker: Callable[[], str], remote: ProviderAccess
) -> None:
    """Its artifact is gone, and the lock knows its task: an attempt to be collected, where the provider knows it."""
    attempt = session.store.snapshot().attempts.get(entry.key)
    if entry.task is None or entry.kind == LOCAL or (attempt is not None and attempt.state not in _EMPTY_HANDED):
        return
    config = loaded.project.providers.get(entry.provider)
    if config is None or config.kind != entry.kind or not _still_known(remote, entry.provider, entry.task):
        return
    again = replace(
        _order_again(entry, loaded, marker()), endpoint=endpoints.endpoint(config, loaded.dialects[entry.provider])
    )
    session.receipts.make_room()
    try:
        with session.store.transaction():
            if attempt is not None and attempt.state is State.UNCERTAIN:
                recognise(session, attempt, entry.task, LOCK_FILE)
            else:
                take_over(session, again, entry.task, LOCK_FILE)
    except StateError as error:
        if error.code != "task-taken":  # a task that another attempt has stays there
            raise


def _order_again(entry: LockEntry, loaded: Loaded, marker: str) -> NewAttempt:
    order = loaded.by_ident.get((entry.clip, entry.take))
    document = order.wanted.document if order is not None and order.wanted.key == entry.key else ""
    return NewAttempt(marker, document, **entry.take_provenance(task=None))


def _still_known(remote: ProviderAccess, alias: str, task: str) -> bool:
    try:
        answer = remote.ask(alias, lambda transport: transport.look(task, None))
    except Refused:
        raise
    except ClipformError:
        return False
    return not isinstance(answer, NotFound | PollTrouble)


# --- what is known now ----------------------------------------------------------------------


def _findings(session: Session, planned: Planned) -> Iterator[Finding]:
    """Each clip as the next apply will see it; not well is only what waits for a person."""
    attempts = planned.snapshot.attempts
    for step in planned.plan.steps:
        yield Finding(step.name, step.action is not Action.BLOCKED, _words(step, attempts.get(step.key)), _help(step))
    for line in session.lost:
        text = f"task {line.task} was paid for too, and its key has another task or was refused"
        yield Finding(line.clip or "a clip", False, text, "look at it there; its video can be imported")
    unknown = sum(1 for step in planned.plan.steps if step.action in GENERATES and step.kind != LOCAL)
    if unknown:
        text = (
            f"apply buys {unknown} that nobody knows to be paid for; one that was: clipform import CLIP --task ID first"
        )
        yield Finding("purchases", True, text)
    unnamed = _unnamed(session, planned)
    if unnamed:
        text = f"{unnamed} in state/objects that neither the lock file nor the state names"
        yield Finding("artifacts", True, text, "clipform import CLIP --file MP4")


def _words(step: Step, attempt: Attempt | None) -> str:
    match step.action:
        case _ if step.action in GENERATES:
            return "no receipt and no line of the lock file knows a purchase"
        case Action.RESUME:
            return f"{step.detail}; clipform apply collects it"
        case _ if attempt is not None and attempt.state in OPEN | BLOCKED:
            return step.detail or SENTENCES[step.reason]
    return f"{SENTENCES[step.reason]}{': ' + step.detail if step.detail else ''}"


def _help(step: Step) -> str:
    if step.reason is Reason.LOCKED_BEFORE:
        return "\n".join(("put its file back into state/objects", *step.way_out))
    return "\n".join(step.way_out)


def _unnamed(session: Session, planned: Planned) -> int:
    named = {*planned.snapshot.artifacts, *(entry.sha256 for entry in planned.locked.values())}
    return sum(1 for item in session.objects if item.suffix == ".mp4" and item.sha256 not in named)
