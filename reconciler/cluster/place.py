"""Where one worker works: a folder of its own, with receipts, videos on their way, and its records of the shared state.

The folder may be lost with the machine. While it is there, a worker that was killed goes on with it: its receipts know
what it bought, and its leases are still its own.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import cast

from reconciler.artifacts.bucket_receipts import BucketReceipts
from reconciler.artifacts.place import Placer
from reconciler.artifacts.publish import Publisher
from reconciler.artifacts.shelf import Shelf
from reconciler.artifacts.upload_links import UploadLinks
from reconciler.clock import Clock
from reconciler.diagnostics import ClipformError, StateLocked
from reconciler.engine.inputs.resolve import ReturnedFrames
from reconciler.engine.run.session import Session
from reconciler.engine.run.shared_cache import SharedCache
from reconciler.engine.uncertain.task_list import LookupContext
from reconciler.media.draft_renderer import DraftRenderer
from reconciler.project import shared_state
from reconciler.project.handed import INPUTS
from reconciler.project.pending_repairs import settle_orphans
from reconciler.project.workspace import Workspace
from reconciler.spec.project import Project
from reconciler.state import shared
from reconciler.state.leases import Member, SharedStore
from reconciler.state.lock import Lock
from reconciler.state.paths import STATE
from reconciler.state.receipts import Receipts
from reconciler.state.sql.postgres import PostgreSQL
from reconciler.state.wants import Wants

WORKERS = "workers"
"""The folder in `state/` with a folder for each worker of this machine."""


@dataclass(slots=True)
class ProjectPlace:
    """What the orders of one project have in common."""

    session: Session
    cache: SharedCache
    lookups: LookupContext

    @property
    def store(self) -> SharedStore:
        """The records, for the budget of this project."""
        return cast("SharedStore", self.session.store)


@dataclass(slots=True)
class WorkPlace:
    """The folder of one worker. `documents` has the identity documents of its orders by key."""

    folder: Path
    sections: Project
    sql: PostgreSQL
    session: Session
    shelf: Shelf
    copies: BucketReceipts
    publisher: Publisher | None
    renderer: DraftRenderer
    links: UploadLinks
    returned: ReturnedFrames
    documents: dict[str, str] = field(default_factory=dict)
    _projects: dict[str, ProjectPlace] = field(default_factory=dict)

    @property
    def member(self) -> Member:
        """Who this worker is."""
        return cast("SharedStore", self.session.store).member

    @property
    def wants(self) -> Wants:
        """The orders."""
        return Wants(self.sql)

    def of_project(self, name: str) -> ProjectPlace:
        """Return what the orders of a project have in common."""
        if name not in self._projects:
            store = cast("SharedStore", self.session.store).of_project(self.sql.of_project(name))
            session = replace(self.session, store=store)
            cache = SharedCache.of(session, self.sections.cache)
            lookups = LookupContext(store, session.receipts, session.clock, self._claimed(), self.documents)
            self._projects[name] = ProjectPlace(session, cache, lookups)
        return self._projects[name]

    def _claimed(self) -> frozenset[str]:
        return frozenset(line.task for line in self.session.receipts.lines if line.task is not None)

    async def bring_input(self, name: str, shelf: Shelf) -> None:
        """Fetch a local input of an order by its name, which has its content's hash. Raises ArtifactError."""
        target = self.folder / name
        if target.exists():
            return
        sha256, suffix, objects = target.stem, target.suffix, self.session.objects

        def fetch() -> None:
            if not objects.has(sha256, suffix):
                shelf.fetch(sha256, suffix, objects, INPUTS)
            target.parent.mkdir(exist_ok=True)
            os.link(objects.path(sha256, suffix), target)

        await asyncio.to_thread(fetch)

    def close(self) -> None:
        """Close the connections of the projects. What was held is given back by the session's own store."""
        for place in self._projects.values():
            place.store.sql.close()


@contextmanager
def open_place(root: Path, sections: Project, clock: Clock, env: Mapping[str, str]) -> Iterator[WorkPlace]:
    """Open the first folder that no other worker of this machine uses, and bring its records up to date. Raises
    ClipformError for a project without a shared state."""
    if not sections.state:
        help = "declare it in the project file:\nstate: {url: postgresql://db.example.com/clipform}"
        raise ClipformError("workers need a shared state, and this file names none", help=help, code="no-shared-state")
    with _own_folder(root, clock) as folder:
        directory = folder / STATE
        sql = shared_state.connect(root, sections.state)

        def member(desk: str) -> Member:
            copy = shared_state.member(folder, directory, desk)
            return replace(copy, name=f"worker-{folder.name}@{copy.name.rpartition('@')[2]}")

        workspace = Workspace(folder, clock, env)
        with (
            shared.open_store(sql, directory, clock.now, member) as store,
            closing(BucketReceipts(shelf := Shelf(sections.cache, env, directory))) as copies,
            Receipts.open(directory, store.id, clock.now, copies) as receipts,
        ):
            store.wants, store.team = Wants(sql), copies
            store.wants.handed([])  # its tables are there
            store.merge(receipts.lines)
            settle_orphans(store, receipts)
            objects = workspace.objects(False)
            objects.sweep()
            session = Session(workspace, store, receipts, objects, Placer(folder, objects), clock, False)
            place = WorkPlace(
                folder=folder,
                sections=sections,
                sql=sql,
                session=session,
                shelf=shelf,
                copies=copies,
                publisher=Publisher(sections.publish, env) if sections.publish else None,
                renderer=DraftRenderer(directory / "scratch"),
                links=UploadLinks(directory, clock.now),
                returned=ReturnedFrames(clock),
            )
            try:
                yield place
            finally:
                place.close()


@contextmanager
def _own_folder(root: Path, clock: Clock) -> Iterator[Path]:
    """Hold the first folder that no other worker of this machine holds."""
    for number in count(1):
        folder = root / STATE / WORKERS / str(number)
        with ExitStack() as stack:
            try:
                stack.enter_context(Lock(folder / STATE, "worker", clock.now))
            except StateLocked:
                continue
            yield folder
            return
