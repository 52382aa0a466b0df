"""`recover`: rebuilds a lost or damaged state from the receipts, `clipform.lock`, the artifacts in the store, the
outputs, and the providers.

It never spends, so it acts without asking, and may be run again. The most reliable source comes first:

    receipts         merged whenever the state is opened: tasks to download, uncertain requests
    lock             records what it says was bought, for `budget.total`
    lock + artifact  restores the generation of a take, and its binding and output where they are unchanged
    lock + task      the artifact is missing: if the provider still knows the task, an attempt that apply downloads
    uncertain        looked up in the provider's list, as apply does
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from reconciler.diagnostics import ArtifactError, ClipformError, Finding, Refused, StateDamaged, StateError
from reconciler.engine.connections.one_off import ProviderAccess
from reconciler.engine.connections.providers import LOCAL, Connect
from reconciler.engine.operations.adopt_task import adopt_line
from reconciler.engine.ports import Sink
from reconciler.engine.run.apply import settle_uncertain
from reconciler.engine.run.lockfile_sync import LockfileAdopter, count_lines
from reconciler.engine.run.session import Session, open_session
from reconciler.next_command import command
from reconciler.plan.model import GENERATES, Action, Reason, Step
from reconciler.project.model import Choice, Loaded, Planned
from reconciler.project.orders import Order
from reconciler.project.workspace import Workspace
from reconciler.records import BLOCKED, OPEN, Attempt, Binding, LockEntry, State
from reconciler.state import disk
from reconciler.state.ledger import Facts
from reconciler.state.lock import Lock
from reconciler.state.paths import DATABASE, LOCK_FILE
from reconciler.state.store import Store


def recover(workspace: Workspace, marker: Callable[[], str], sink: Sink, connect: Connect) -> list[Finding]:
    """Rebuild the state, and return a finding for each clip.

    Raises SpecError, StateNewer, StateLocked before anything is done, and Refused from `connect` after everything that
    needs no provider is done.
    """
    loaded = workspace.load()
    entries = workspace.lock_entries()
    findings = list(_set_aside(workspace))
    with open_session(workspace, "recover") as session:
        count_lines(session, session.store.snapshot())
        missing = [entry for entry in entries if not _from_lock(session, loaded, entry)]
        access = ProviderAccess(loaded, connect)
        for entry in missing:
            if not _from_lock(session, loaded, entry):  # another take may have brought it back meanwhile
                _download_later(session, loaded, entry, marker, access)
        reasons = settle_uncertain(session, loaded, sink, connect)
        planned = workspace.plan(Choice(), loaded, session.store.snapshot(), reasons)
        findings += _findings(session, planned)
    return findings


def _set_aside(workspace: Workspace) -> Iterator[Finding]:
    """Rename a damaged database: a specialist may still read it."""
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
    """Restore a take from its line of the lock file. Returns True if its artifact is in the store."""
    order = loaded.by_ident.get((entry.clip, entry.take))
    if entry.key not in session.store.snapshot().generations and not _adopt(session, entry, order):
        return False
    _close(session, entry)
    _bind(session, entry, order)
    return True


def _adopt(session: Session, entry: LockEntry, order: Order | None) -> bool:
    """Record the artifact, from the store or from the output that still holds it. Returns True if there is one."""
    output = order.wanted.output if order is not None else None
    document = order.wanted.document if order is not None and order.wanted.key == entry.key else ""
    try:
        LockfileAdopter.of(session).adopt(entry, document, output)
    except ArtifactError:
        return False
    return True


def _close(session: Session, entry: LockEntry) -> None:
    """Close the attempt that made the result, also where an earlier recovery died before this."""
    snapshot = session.store.snapshot()
    attempt, generation = snapshot.attempts.get(entry.key), snapshot.generations[entry.key]
    if attempt is None or attempt.task != entry.task or generation.sha256 != entry.sha256:
        return
    with session.store.transaction():
        if attempt.state is State.ACCEPTED:
            attempt = session.store.move(attempt, State.READY, Facts(evidence={"by": LOCK_FILE}))
        if attempt.state is State.READY:
            attempt = session.store.fetched(attempt, snapshot.artifacts[generation.sha256], generation)
            session.store.move(attempt, State.DONE)


def _bind(session: Session, entry: LockEntry, order: Order | None) -> None:
    """Bind the take to the lock's key, and record its output if it holds that content. Existing records stay."""
    snapshot = session.store.snapshot()
    if order is None or (entry.clip, entry.take) in snapshot.bindings:
        return
    output, document = order.wanted.output, snapshot.generations[entry.key].document
    placed = session.placer.record(output, entry.sha256) if output is not None else None
    with session.store.transaction():
        if placed is not None:
            session.store.desk.record_placed(placed, entry.clip)
        session.store.desk.bind(Binding(entry.clip, entry.take, entry.key, output, document, order.wanted.protect))


def _download_later(
    session: Session, loaded: Loaded, entry: LockEntry, marker: Callable[[], str], access: ProviderAccess
) -> None:
    """Record an attempt for a task of the lock file whose artifact is missing, if the provider still knows it."""
    try:
        adopt_line(session, loaded, entry, marker, access)
    except (Refused, StateError):
        raise
    except ClipformError:
        return  # its finding says that the video is still missing


# --- findings -------------------------------------------------------------------------------


def _findings(session: Session, planned: Planned) -> Iterator[Finding]:
    """Yield a finding for each clip as the next apply will see it; not ok is only what needs a decision."""
    attempts = planned.snapshot.attempts
    for step in planned.plan.steps:
        yield Finding(step.name, step.action is not Action.BLOCKED, _detail(step, attempts.get(step.key)), _help(step))
    for line in session.lost:
        text = f"task {line.task} was paid for too, and its key has another task or was refused"
        yield Finding(line.clip or "a clip", False, text, "look at it there; its video can be imported")
    unknown = sum(1 for step in planned.plan.steps if step.action in GENERATES and step.kind != LOCAL)
    if unknown:
        text = f"apply buys {unknown} without a record of a purchase"
        yield Finding("purchases", True, f"{text}; one that was: {command('import', 'CLIP', '--task', 'ID')} first")
    named = {*planned.snapshot.artifacts, *(entry.sha256 for entry in planned.locked.values())}
    unnamed = sum(1 for item in session.objects if item.suffix == ".mp4" and item.sha256 not in named)
    if unnamed:
        text = f"{unnamed} in state/objects that neither the lock file nor the state records"
        yield Finding("artifacts", True, text, command("import", "CLIP", "--file", "MP4"))


def _detail(step: Step, attempt: Attempt | None) -> str:
    match step.action:
        case _ if step.action in GENERATES:
            return "no receipt and no line of the lock file records a purchase"
        case Action.RESUME:
            return f"{step.detail}; {command('apply')} downloads it"
        case _ if attempt is not None and attempt.state in OPEN | BLOCKED:
            return step.detail or step.headline
    return f"{step.headline}{': ' + step.detail if step.detail else ''}"


def _help(step: Step) -> str:
    if step.reason is Reason.LOCKED_BEFORE:
        return "\n".join(("put its file back into state/objects", *step.way_out))
    return "\n".join(step.way_out)
