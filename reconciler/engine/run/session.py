"""Opens a session that may write: holds the lock and brings the records up to date.

Every change of the state goes through a `Session`, so that every command starts from records that were repaired in the
same way: receipts merged, orphans settled, stray part files swept.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.artifacts.place import Placer
from reconciler.artifacts.store import Objects
from reconciler.clock import Clock
from reconciler.diagnostics import StateUnreachable
from reconciler.engine.connections.providers import LOCAL
from reconciler.engine.run.warm_workers import WarmWorkers
from reconciler.frozen import dataclass
from reconciler.project import saved_plan, shared_state
from reconciler.project.model import Choice, Loaded, Planned
from reconciler.project.pending_repairs import settle_orphans
from reconciler.project.workspace import Workspace
from reconciler.records import Snapshot, State
from reconciler.state.ledger import Facts
from reconciler.state.lock import Lock
from reconciler.state.receipts import Receipt, Receipts
from reconciler.state.store import Store

if TYPE_CHECKING:
    from reconciler.artifacts.bucket_receipts import BucketReceipts


@dataclass(frozen=True, slots=True)
class Session:
    """An open state that this process may write to."""

    workspace: Workspace
    store: Store
    receipts: Receipts
    objects: Objects
    placer: Placer
    clock: Clock
    draft: bool
    lost: tuple[Receipt, ...] = ()  # receipts of paid tasks that no attempt can hold
    shop: WarmWorkers | None = None  # for a process that applies more than once


@contextmanager
def open_session(
    workspace: Workspace, command: str, draft: bool = False, *, offline: bool = False
) -> Iterator[Session]:
    """Lock the state and bring it up to date. `offline`: if a shared state cannot be reached, the mirror will do, by
    which nothing is bought. Raises StateLocked, StateError, SpecError."""
    workspace.require_own()
    directory, clock = workspace.state_dir(draft), workspace.clock
    if not directory.is_dir():
        workspace.load(draft)  # a project that cannot be read leaves no state behind
    with (
        Lock(directory, command, clock.now),
        _opened(workspace, draft, offline=offline) as store,
        _shared_receipts(workspace, store) as shared,
        Receipts.open(directory, store.id, clock.now, shared) as receipts,
    ):
        lost = store.merge(receipts.lines).lost
        objects = workspace.objects(draft)
        objects.sweep()
        settle_orphans(store, receipts)
        yield Session(workspace, store, receipts, objects, Placer(workspace.root, objects), clock, draft, lost)
        shared_state.refresh_mirror(store, clock.now)


@contextmanager
def _shared_receipts(workspace: Workspace, store: Store) -> Iterator[BucketReceipts | None]:
    """Give the receipts of a team that has a database and a bucket."""
    section = workspace.load().project.cache if store.is_shared else None
    if not section:
        yield None
        return
    from reconciler.artifacts.bucket_receipts import BucketReceipts
    from reconciler.artifacts.shelf import Shelf

    with closing(BucketReceipts(Shelf(section, workspace.env, workspace.state_dir(False)))) as shared:
        store.team = shared
        yield shared


def _opened(workspace: Workspace, draft: bool, *, offline: bool) -> Store:
    """Open the store of the working copy, or that of its team. Raises Refused for a database that is not agreed to."""
    directory, now = workspace.state_dir(draft), workspace.clock.now
    values = workspace.shared(draft)
    if not values:
        return Store.open(directory, now)
    try:
        return shared_state.open_store(workspace.root, directory, now, values)
    except StateUnreachable as error:
        if not offline:
            raise
        own = shared_state.mirror_of(directory, now, error, write=True)
        workspace.as_of = own.joined[1] if own.joined else None
        return own


def look(session: Session, choice: Choice) -> Planned:
    """Read the project and plan under the lock; uncertain requests stay uncertain. Raises SpecError, UsageError."""
    loaded = session.workspace.load(choice.draft)
    end_unwanted_drafts(session.store, loaded)
    return session.workspace.plan(choice, loaded, records_of(session.store, loaded))


def records_of(store: Store, loaded: Loaded) -> Snapshot:
    """Return the records of what a project's clips want."""
    return store.snapshot([wanted.key for wanted in loaded.wanted])


def save_plan(workspace: Workspace, choice: Choice, path: Path, shown: saved_plan.SavedPlan | None = None) -> Planned:
    """Plan and write the plan file. The store is created first: without one, a plan could be applied repeatedly.

    A plan that was `shown` before, the workspace's last one, is written as it is, unless the records changed since.
    Raises UsageError for an existing file that is not a plan.
    """
    saved_plan.require_free(path)
    with open_session(workspace, "plan", choice.draft) as session:
        if shown and workspace.planned and (shown.store, shown.sequence) == session.store.mark():
            saved_plan.save(path, shown)
            return workspace.planned
        loaded = workspace.load(choice.draft)
        planned = workspace.plan(choice, loaded, records_of(session.store, loaded))
        saved_plan.save(path, saved_plan.of(secrets.token_hex(16), choice, planned))
    return planned


def end_unwanted_drafts(store: Store, loaded: Loaded) -> None:
    """Close drafts whose clips changed since: nothing was paid, and nothing is running."""
    wanted = {order.wanted.key for order in loaded.orders}
    facts = Facts(message="its clip changed; the draft was abandoned")
    for attempt in records_of(store, loaded).attempts.values():
        if attempt.kind != LOCAL or attempt.key in wanted or store.holder(attempt):
            continue
        if attempt.state in (State.ACCEPTED, State.STALLED):
            store.move(attempt, State.CANCELLED, facts)
        elif attempt.state is State.READY:
            store.move(store.move(attempt, State.RESULT_EXPIRED, facts), State.ABANDONED, facts)
