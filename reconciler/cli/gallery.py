"""The live gallery beside a watch: what `ui` and `watch --ui` have in common."""

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


def watched(own: Context, choice: Choice, terms: Allowance, *, port: int | None, browse: bool) -> int:
    """A watch with a page beside it, until the user ends it; the exit code."""
    from reconciler.gallery.server import Gallery
    from reconciler.gallery.server.server import About
    from reconciler.project.workspace import Workspace
    from reconciler.watch import Clicks, Watch, WatchContext

    clicks = Clicks()
    beside = Workspace(own.workspace.root, own.clock, own.workspace.env)
    with Gallery(About(beside, choice, port), clicks) as gallery:
        if own.options.json:
            own.view.note("listening", {"event": "listening", "url": gallery.url})
        else:
            sys.stderr.write(f"Gallery: {gallery.url}\n")
            sys.stderr.flush()
        if browse and sys.stderr.isatty() and _has_windows():
            threading.Thread(target=webbrowser.open, args=[gallery.url], name="browser", daemon=True).start()
        setting = WatchContext(own.workspace, choice, terms, own.view, own.connect, own.keyboard, gallery, clicks)
        return Watch(setting).run()


def _has_windows() -> bool:
    """Whether a browser would open a window: one for the terminal would fight with us for it."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
