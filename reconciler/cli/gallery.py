"""Runs a watch with the live gallery, for `ui` and `watch --ui`."""

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


def run_with_gallery(app: Context, choice: Choice, allowance: Allowance, *, port: int | None, browse: bool) -> int:
    """Run a watch with a gallery page until the user ends it, and return the exit code. `browse`: open a browser."""
    from reconciler.gallery.server.server import Gallery, GalleryOptions
    from reconciler.project.workspace import Workspace
    from reconciler.watch import PageRequests, Watch, WatchContext

    requests = PageRequests()
    workspace = Workspace(app.workspace.root, app.clock, app.workspace.env, app.workspace.overlay)
    with Gallery(GalleryOptions(workspace, choice, port), requests) as gallery:
        if app.options.json:
            app.view.note("listening", {"event": "listening", "url": gallery.url})
        else:
            sys.stderr.write(f"Gallery: {gallery.url}\n")
            sys.stderr.flush()
        if browse and sys.stderr.isatty() and _has_desktop():
            threading.Thread(target=webbrowser.open, args=[gallery.url], name="browser", daemon=True).start()
        context = WatchContext(app.workspace, choice, allowance, app.view, app.connect, app.keyboard, gallery, requests)
        return Watch(context).run()


def _has_desktop() -> bool:
    """True if a browser opens a window. A text browser would compete with clipform for the terminal."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
