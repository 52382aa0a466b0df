"""Run a watch with the live gallery, for `ui` and `watch --ui`."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING

from reconciler.cli.context import Context

if TYPE_CHECKING:
    from reconciler.project.model import Choice
    from reconciler.watch import Allowance


def watched(app: Context, choice: Choice, terms: Allowance, *, port: int | None, browse: bool) -> int:
    """Run a watch with a gallery page until the user quits. Returns the exit code."""
    from reconciler.gallery.server import Gallery
    from reconciler.gallery.server.server import About
    from reconciler.project.workspace import Workspace
    from reconciler.watch import Clicks, Watch, WatchContext

    clicks = Clicks()
    gallery_workspace = Workspace(app.workspace.root, app.clock, app.workspace.env)
    with Gallery(About(gallery_workspace, choice, port), clicks) as gallery:
        if app.options.json:
            app.view.note("listening", {"event": "listening", "url": gallery.url})
        else:
            sys.stderr.write(f"Gallery: {gallery.url}\n")
            sys.stderr.flush()
        if browse and sys.stderr.isatty() and _has_display():
            threading.Thread(target=webbrowser.open, args=[gallery.url], name="browser", daemon=True).start()
        watch_context = WatchContext(app.workspace, choice, terms, app.view, app.connect, app.keyboard, gallery, clicks)
        return Watch(watch_context).run()


def _has_display() -> bool:
    """True if a browser opens in a window. One that runs in the terminal would compete with the watch for it."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
