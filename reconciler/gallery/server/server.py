"""The gallery in a thread of its own, and the way into it: what the watch sees goes to the pages.

The thread has a loop, the hub lives in it, and everything that the watch says is handed over without waiting. It is a
daemon: a process that is told to end now does not wait for a browser.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from reconciler.diagnostics import ClipformError, SpecError
from reconciler.events import Event, Summary
from reconciler.gallery.server.actions import Desk, Loop
from reconciler.gallery.server.guard import Guard
from reconciler.gallery.server.hub import Hub, PageContext
from reconciler.gallery.server.media_files import Library
from reconciler.gallery.server.routes import Answers
from reconciler.plan.model import Plan
from reconciler.project.model import Choice, Loaded, Planned
from reconciler.project.workspace import Workspace
from reconciler.serving import Quiet, address, bound
from reconciler.state import lock, open

PORT: Final = 8788
"""Where it is unless it is told, or the port is taken: a browser keeps its settings by origin."""
_PATIENCE: Final = 5.0
_PACE: Final = 0.5
"""Seconds between two looks at what a run has done so far, at least; it may take a fifth of the time."""
_GLANCE: Final = 1.0
"""How often it is looked whether another process has changed the state."""


@dataclass(frozen=True, slots=True)
class About:
    """What a gallery shows. The workspace is its own: it is read in another thread than the watch's."""

    workspace: Workspace
    choice: Choice
    port: int | None = None  # None: `PORT`, else any


class Gallery:
    """`with Gallery(about, loop) as gallery:` serves until the end of the block. It is a page of the watch."""

    def __init__(self, about: About, loop: Loop) -> None:
        self.url = ""
        self._about, self._clicks = about, loop
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hub: Hub | None = None
        self._stop: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        self._socket = _socket(self._about.port)
        self._thread = threading.Thread(target=self._run, name="gallery", daemon=True)
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._soon(lambda hub: self._stop())
        self._thread.join(_PATIENCE)
        self._socket.close()

    # --- what the watch says ------------------------------------------------------------------

    def looked(self, planned: Planned) -> None:
        """Everything as it is now."""
        self._soon(lambda hub: hub.looked(planned))

    def edited(self) -> None:
        """Something was saved while a run goes on."""
        self._soon(lambda hub: hub.edited())

    def broken(self, error: ClipformError) -> None:
        """The project cannot be read."""
        self._soon(lambda hub: hub.broken(error))

    def plan(self, plan: Plan) -> None:
        """Was told with everything else."""

    def error(self, error: ClipformError) -> None:
        """Why something was not done; what is wrong with the project was told already."""
        if not isinstance(error, SpecError):
            self._soon(lambda hub: hub.said("error", error.message, error.help))

    def note(self, message: str, data: Mapping[str, object] | None = None) -> None:
        """A word; the meter is one too."""
        if data is not None and data.get("event") == "meter":
            self._soon(lambda hub: hub.meter(data))
        else:
            self._soon(lambda hub: hub.said("note", message))

    def emit(self, event: Event) -> None:
        """Something happened in a run."""
        self._soon(lambda hub: hub.event(event))

    def summary(self, summary: Summary) -> None:
        """A run is over."""
        self._soon(lambda hub: hub.ended(summary))

    def close(self) -> None:
        """Nothing to put back."""

    def _soon(self, say: Callable[[Hub], None]) -> None:
        hub = self._hub
        if self._loop is not None and hub is not None:
            with suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(say, hub)

    # --- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._started.set()

    async def _serve(self) -> None:
        about = self._about
        workspace, draft = about.workspace, about.choice.draft
        self._loop = asyncio.get_running_loop()
        hub = self._hub = Hub(PageContext(workspace.root.name, draft, workspace.clock.now))
        library = Library(workspace, draft)
        desk = Desk(hub, self._clicks, workspace, asyncio.Lock())
        guard = Guard(Answers(hub, desk, library, draft).app(), self._socket.getsockname()[1])
        server = Quiet(guard)
        self.url = guard.entrance(address(self._socket))

        def stop() -> None:
            hub.close()
            server.should_exit = True

        self._stop = stop
        following = asyncio.create_task(self._follow(hub))
        self._loop.call_soon(self._started.set)
        try:
            await server.serve([self._socket])
        finally:
            following.cancel()
            await library.aclose()

    async def _follow(self, hub: Hub) -> None:
        """Look at what a run has done so far, ours or that of another process, and at what is saved during ours. The
        watch looks when ours is over; what others do to the state is no edit, so it would not."""
        workspace, choice = self._about.workspace, self._about.choice
        state, clock = workspace.state_dir(choice.draft), workspace.clock
        seen = await asyncio.to_thread(_stamp, state)
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_GLANCE):
                    await hub.changed.wait()
            stamp = await asyncio.to_thread(_stamp, state)
            if hub.known is None or (stamp == seen and not hub.changed.is_set()):
                continue
            seen, began = stamp, clock.monotonic()
            hub.changed.clear()
            await self._look(hub, hub.known.planned.loaded)
            await clock.sleep(max(_PACE, 4 * (clock.monotonic() - began)))

    async def _look(self, hub: Hub, loaded: Loaded) -> None:
        """A look of our own, which is dropped when the watch has looked later."""
        workspace, choice = self._about.workspace, self._about.choice
        looks, unread, hub.unread = hub.looks, hub.unread, False
        try:
            if unread:
                loaded = await asyncio.to_thread(workspace.load, choice.draft)
            planned = await asyncio.to_thread(workspace.plan, choice, loaded)
        except ClipformError as error:
            if unread and hub.looks == looks:
                hub.broken(error)
        else:
            if hub.looks == looks:
                hub.looked(planned, mended=unread)


def _stamp(state: Path) -> tuple[int, ...]:
    """What changes when somebody is at a state, or dies at it: a process that is killed changes no file."""
    return (*open.stamp(state), lock.is_free(state))


def _socket(port: int | None) -> socket.socket:
    if port is not None:
        return bound(port)
    try:
        return bound(PORT)
    except ClipformError:
        return bound(0)
