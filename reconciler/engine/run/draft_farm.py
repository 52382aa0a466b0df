"""Has drafts rendered by workers, while one that draws the same bytes is running; else they are rendered here.

It answers as the renderer of this machine does, so the engine has no special case. A draft costs nothing, so whatever
goes wrong there, a worker that is lost, a database or a cache that does not answer, ends in a render here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import ClassVar

from reconciler.artifacts.shelf import UNREACHABLE, Shelf
from reconciler.artifacts.store import ByteSink, Objects
from reconciler.clock import Clock
from reconciler.diagnostics import ClipformError, Refused, StateError
from reconciler.engine.ports import Sink
from reconciler.engine.run.session import Session
from reconciler.events import Event, EventKind
from reconciler.media.draft_renderer import DraftRenderer, copied, task_id
from reconciler.project import handed_drafts, shared_state
from reconciler.project.handed import INPUTS, RENEWED
from reconciler.project.handed_drafts import DRAFTS, DraftOrder
from reconciler.project.model import Loaded
from reconciler.providers.base import Reply, Request
from reconciler.records import Handed
from reconciler.state.wants import DONE, WITHDRAWN, Want, Wants

LOOK = 1.0
"""Seconds between two looks at what the workers do: one look for all drafts."""
_WAIT = 0.3
"""Seconds that a poll waits, as those of the renderer do."""


@dataclass(slots=True)
class DraftFarm:
    """Renders the scenes of one run. Once the database or the cache cannot be reached, the run asks them no more."""

    AT_ONCE: ClassVar[int] = 64
    """Drafts of one run that workers have at one time."""
    wants: Wants
    shelf: Shelf
    objects: Objects
    renderer: DraftRenderer
    clock: Clock
    sink: Sink
    is_down: bool = False
    _orders: dict[str, DraftOrder | None] = field(default_factory=dict)  # by task; None: it is rendered here
    _videos: set[str] = field(default_factory=set)
    _seen: Mapping[str, Handed] = field(default_factory=dict)
    _looked: float = float("-inf")

    async def submit(self, request: Request) -> Reply:
        """Hand a scene over, or start to render it here."""
        task = task_id(request.body)
        if await self._hand_over(task, request.body) is not None:
            return Reply(200, {"id": task})
        return await self.renderer.submit(request)

    async def ask(self, request: Request) -> Reply:
        """Return the status of a render, after a short wait; what workers do not make is rendered here."""
        task = request.path.rpartition("/")[2]
        order = await self._hand_over(task, request.body)  # now, if a run before this one has submitted it
        if order is not None:
            try:
                if (reply := await self._followed(task, order)) is not None:
                    return reply
            except ClipformError as error:
                self._note(error)
            self._take_back(task, order)
        return await self.renderer.ask(request)

    async def fetch(self, url: str, part: ByteSink) -> tuple[int, str]:
        """Copy a finished draft."""
        if url in self._videos:
            return await asyncio.to_thread(copied, Path(url), part)
        return await self.renderer.fetch(url, part)

    def close(self) -> None:
        """Close the connection. What workers have begun goes on, and the next run takes it."""
        self.wants.sql.close()

    # --- handing over -------------------------------------------------------------------------

    async def _hand_over(self, task: str, body: object) -> DraftOrder | None:
        """Return the order of a scene, which workers have from now on; None if it is rendered here."""
        if task not in self._orders:
            self._orders[task] = None
            try:
                if isinstance(body, Mapping) and not self.is_down:
                    self._orders[task] = await self._handed(handed_drafts.order_of(body))
            except ClipformError as error:
                self._note(error)
        return self._orders[task]

    async def _handed(self, order: DraftOrder) -> DraftOrder:
        """Write an order, with its inputs in the shared cache, unless the cache has its draft."""
        if await asyncio.to_thread(order.made, self.shelf) is None:
            for name, file in order.inputs.items():
                since = self.clock.now() - RENEWED
                await asyncio.to_thread(self.shelf.put, PurePosixPath(name).stem, file, INPUTS, "", since)
            want = Want(order.key, 0, handed_drafts.renderer(), str(order.body["label"]), 1, (), order.document)
            self.wants.hand_over([want], 0, "null")  # it has no price, so it needs no caps
        return order

    # --- following ----------------------------------------------------------------------------

    async def _followed(self, task: str, order: DraftOrder) -> Reply | None:
        """Return the status of an order; None if no worker makes it."""
        now = self.clock.monotonic()
        if now - self._looked >= LOOK:
            self._looked = now
            self._seen = self.wants.handed([each.key for each in self._orders.values() if each is not None])
        record = self._seen.get(order.key)
        if record is None or record.kind == DONE:
            sha256 = await asyncio.to_thread(order.made, self.shelf)
            if sha256 is not None:
                return await self._made(task, sha256)
        if record is not None and (record.kind or not record.is_served):
            return None  # it failed, was taken back, is not in the cache after all, or its worker is lost
        await self.clock.sleep(_WAIT)
        return Reply(200, {"id": task, "status": "running" if record is not None and record.holder else "queued"})

    async def _made(self, task: str, sha256: str) -> Reply:
        """Return the answer about a finished draft, which is stored here now."""
        if not self.objects.has(sha256, ".mp4"):
            await asyncio.to_thread(self.shelf.fetch, sha256, ".mp4", self.objects, DRAFTS)
        video = str(self.objects.path(sha256, ".mp4"))
        self._videos.add(video)
        return Reply(200, {"id": task, "status": "succeeded", "video": video, "last_frame": None})

    def _take_back(self, task: str, order: DraftOrder) -> None:
        """Render a scene here, and let nobody render it in vain."""
        self._orders[task] = None
        if not self.is_down:
            with suppress(StateError):
                self.wants.end(order.key, WITHDRAWN)

    def _note(self, error: ClipformError) -> None:
        """Remember that the workers cannot be reached. Any other trouble is that of one scene, which the renderer of
        this machine describes, if it has it, too."""
        if not self.is_down and (isinstance(error, StateError) or error.code == UNREACHABLE):
            self.is_down = True
            self.sink.emit(Event(EventKind.NOTE, message=f"{error.message}; drafts are rendered here"))


def farm_of(session: Session, loaded: Loaded, renderer: DraftRenderer, sink: Sink) -> DraftFarm | None:
    """Return the workers that render the drafts of a run; None if it renders them itself. It does so also with
    `workers: only`, while none of them draws the same bytes: that is about purchases, and a draft needs no key."""
    workspace, project = session.workspace, loaded.project
    if session.store.is_offline:
        return None
    try:
        sql = shared_state.connect(workspace.root, workspace.shared(False))
    except (Refused, StateError) as error:
        sink.emit(Event(EventKind.NOTE, message=f"{error.message}; drafts are rendered here"))
        return None
    wants = Wants(sql)
    try:
        if handed_drafts.renderer() in wants.served():
            shelf = Shelf(project.cache, workspace.env, workspace.state_dir(False))
            return DraftFarm(wants, shelf, session.objects, renderer, session.clock, sink)
    except StateError as error:
        sink.emit(Event(EventKind.NOTE, message=f"{error.message}; drafts are rendered here"))
    sql.close()
    return None
