"""Runs the gallery server in a thread with its own event loop, and passes the watch's updates to it.

The hub is used in that loop only; the watch schedules each update there and does not wait. The thread is a daemon, so a
process that must end at once does not wait for a browser.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from reconciler.diagnostics import ClipformError, SpecError
from reconciler.events import Event, Summary
from reconciler.frozen import dataclass
from reconciler.gallery.document.cards import DocumentContext
from reconciler.gallery.server.actions import PageActions, WatchLoop
from reconciler.gallery.server.guard import Guard, ReadOnly
from reconciler.gallery.server.hub import Hub
from reconciler.gallery.server.media_files import MediaFiles
from reconciler.gallery.server.routes import Routes
from reconciler.plan.model import Plan
from reconciler.project.model import Choice, Loaded, Planned
from reconciler.project.review import NOTHING_TO_REVIEW, Review, review_of
from reconciler.project.workspace import Workspace
from reconciler.serving import HOST, Quiet, address, bound
from reconciler.state import lock, open

PORT: Final = 8788
"""The default port, if it is free: a browser keeps the page's settings by origin."""
_JOIN_TIMEOUT: Final = 5.0  # seconds
_MIN_PAUSE: Final = 0.5
"""Seconds between two plans during a run, at least; planning may take a fifth of the time."""
_STATE_CHECK: Final = 1.0
"""Seconds between two checks if another process has changed the state."""
_SHARED_CHECK: Final = 5.0
"""Seconds between two plans of a shared state, which other machines change, or which does not answer any more."""


@dataclass(frozen=True, slots=True)
class GalleryOptions:
    """The project that a gallery shows. `workspace` is not the watch's: it is used in another thread."""

    workspace: Workspace
    choice: Choice
    port: int | None = None  # None: `PORT`, or any port if that is taken
    read_only: ReadOnly | None = None


class Gallery:
    """`with Gallery(options, loop) as gallery:` serves until the end of the block. It implements the watch's `Page`.
    Without a `loop` the page has no actions."""

    def __init__(self, options: GalleryOptions, loop: WatchLoop | None) -> None:
        self.url = ""
        self._options, self._watch = options, loop
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hub: Hub | None = None
        self._stop: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        self._socket = _socket(self._options)
        self._thread = threading.Thread(target=self._run, name="gallery", daemon=True)
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._post(lambda hub: self._stop())
        self._thread.join(_JOIN_TIMEOUT)
        self._socket.close()

    # --- updates from the watch ---------------------------------------------------------------

    def refreshed(self, planned: Planned) -> None:
        """Show a new plan."""
        review = self._review(planned)
        self._post(lambda hub: hub.refreshed(planned, review))

    def edited(self) -> None:
        """Note that a file was saved during a run."""
        self._post(lambda hub: hub.edited())

    def broken(self, error: ClipformError) -> None:
        """Show the errors of a project that cannot be read."""
        self._post(lambda hub: hub.broken(error))

    def plan(self, plan: Plan) -> None:
        """Do nothing: `refreshed` shows the plan."""

    def error(self, error: ClipformError) -> None:
        """Show an error. `broken` shows the errors of a spec."""
        if not isinstance(error, SpecError):
            self._post(lambda hub: hub.message("error", error.message, error.help))

    def note(self, message: str, data: Mapping[str, object] | None = None) -> None:
        """Show a message, or the running total if the message contains it."""
        if data is not None and data.get("event") == "meter":
            self._post(lambda hub: hub.meter(data))
        else:
            self._post(lambda hub: hub.message("note", message))

    def emit(self, event: Event) -> None:
        """Show an event of a run."""
        self._post(lambda hub: hub.event(event))

    def summary(self, summary: Summary) -> None:
        """Show the summary of a run."""
        self._post(lambda hub: hub.ended(summary))

    def close(self) -> None:
        """Do nothing: a page has no terminal to restore."""

    def _post(self, update: Callable[[Hub], None]) -> None:
        hub = self._hub
        if self._loop is not None and hub is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(update, hub)

    # --- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._started.set()

    async def _serve(self) -> None:
        workspace, draft = self._options.workspace, self._options.choice.draft
        self._loop = asyncio.get_running_loop()
        context = DocumentContext(workspace.root.name, True, draft, workspace.clock.now(), acts=self._watch is not None)
        hub = self._hub = Hub(context, workspace.clock.now)
        media_files = MediaFiles(workspace, draft)
        actions = PageActions(hub, self._watch, workspace, asyncio.Lock()) if self._watch else None
        hooks = self._options.read_only.hooks if self._options.read_only else None
        app = Routes(hub, workspace, media_files, actions, hooks).app()
        guard = Guard(app, self._socket.getsockname()[1], self._options.read_only)
        server = Quiet(guard)
        self.url = guard.entrance(address(self._socket))

        def stop() -> None:
            hub.close()
            server.should_exit = True

        self._stop = stop
        tasks = [asyncio.create_task(self._follow(hub))]
        tasks += [asyncio.create_task(hooks.announce())] if hooks is not None else []
        self._loop.call_soon(self._started.set)
        try:
            await server.serve([self._socket])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await media_files.aclose()

    async def _follow(self, hub: Hub) -> None:
        """Plan again when a run of any process changes the state, and when a file is saved during a run.

        The watch itself plans only after its own run, and ignores changes of the state by other processes."""
        workspace, choice = self._options.workspace, self._options.choice
        state, clock = workspace.state_dir(choice.draft), workspace.clock
        last = await asyncio.to_thread(_stamp, state)
        planned = clock.monotonic()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_STATE_CHECK):
                    await hub.changed.wait()
            stamp = await asyncio.to_thread(_stamp, state)
            is_due = workspace.shares_state and clock.monotonic() - planned >= _SHARED_CHECK
            if hub.index is None or (stamp == last and not hub.changed.is_set() and not is_due):
                continue
            last, began = stamp, clock.monotonic()
            hub.changed.clear()
            await self._plan(hub, hub.index.planned.loaded)
            planned = clock.monotonic()
            await clock.sleep(max(_MIN_PAUSE, 4 * (planned - began)))

    def _review(self, planned: Planned) -> Review:
        choice = self._options.choice
        return NOTHING_TO_REVIEW if choice.draft else review_of(self._options.workspace, planned.loaded)

    async def _plan(self, hub: Hub, loaded: Loaded) -> None:
        """Load and plan, and show the result unless the watch has shown a newer one meanwhile."""
        workspace, choice = self._options.workspace, self._options.choice
        refreshes, unread, hub.unread = hub.refreshes, hub.unread, False
        try:
            if unread:
                loaded = await asyncio.to_thread(workspace.load, choice.draft)
            planned = await asyncio.to_thread(workspace.plan, choice, loaded)
            review = await asyncio.to_thread(self._review, planned)
        except ClipformError as error:
            if unread and hub.refreshes == refreshes:
                hub.broken(error)
        else:
            if hub.refreshes == refreshes:
                hub.refreshed(planned, review, fixed=unread)


def _stamp(state: Path) -> tuple[int, ...]:
    """Return values that change when a process changes the state, or is killed while it holds the lock."""
    return (*open.stamp(state), lock.is_free(state))


def _socket(options: GalleryOptions) -> socket.socket:
    host = options.read_only.host if options.read_only else HOST
    if options.port is not None:
        return bound(options.port, host)
    try:
        return bound(PORT, host)
    except ClipformError:
        return bound(0, host)
