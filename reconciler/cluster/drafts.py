"""Renders drafts that applies have handed over: no vendor is asked, and no key is needed.

A draft that is rendered twice costs time only, so nobody holds an order: after a worker that is killed or frozen comes
the next one that the queue gives the key to, and both write the same bytes.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.cluster.carry import AGAIN
from reconciler.cluster.place import WorkPlace
from reconciler.diagnostics import ArtifactError, MediaError
from reconciler.engine.control import RunControl
from reconciler.engine.ports import Sink
from reconciler.events import Event, EventKind
from reconciler.media.draft_renderer import task_id
from reconciler.plan.model import Action
from reconciler.project import handed_drafts
from reconciler.project.handed_drafts import DraftOrder
from reconciler.providers.base import Request
from reconciler.providers.replies import mapping
from reconciler.state.wants import DONE


@dataclass(slots=True)
class DraftCarrier:
    """Renders the drafts of orders in one place."""

    place: WorkPlace
    sink: Sink
    control: RunControl = field(default_factory=RunControl)

    async def carry_out(self, key: str) -> float | None:
        """Render the draft of an order. Returns the seconds after which to try again, None if it is over. Raises
        StateError if that cannot be written down."""
        wants, name = self.place.wants, self.place.member.name
        want = wants.find(key)
        if want is None:
            return None
        try:
            wants.note(key, "", name)
            order = handed_drafts.read(want.document, key)
            if not await self._render(order):
                wants.note(key, "", "")  # it was stopped: another worker takes it
                return 0.0
        except ArtifactError as error:
            wants.note(key, error.message, name)
            return AGAIN
        except MediaError as error:
            wants.end(key, EventKind.FAILED.value, error.message, name)
            return None
        wants.end(key, DONE, "", name)
        self.sink.emit(Event(EventKind.SUCCEEDED, want.clip, want.take, Action.CREATE.value))
        return None

    async def _render(self, order: DraftOrder) -> bool:
        """Have the draft of an order in the shared cache; False if it was stopped before. Raises MediaError for a scene
        that cannot be drawn, and ArtifactError."""
        shelf = self.place.shelf
        if await asyncio.to_thread(order.made, shelf) is not None:
            return True
        for name in order.inputs:
            await self.place.bring_input(name, shelf)
        body, renderer = order.placed(self.place.folder), self.place.renderer
        task = task_id(body)
        request = Request("GET", f"/render/{task}", body=body)
        try:
            while not self.control.event.is_set():
                answer = mapping((await renderer.ask(request)).body)
                if answer["status"] == "succeeded":
                    await asyncio.to_thread(order.keep, shelf, Path(str(answer["video"])))
                    return True
                if answer["status"] == "failed":
                    raise MediaError(str(answer["error"]), code=str(answer["code"]))
            return False
        finally:
            renderer.cancel(task)


def at_once() -> int:
    """Return how many drafts one worker renders side by side: a render fills a core."""
    return os.cpu_count() or 1
