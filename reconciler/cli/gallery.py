"""Runs a watch with the live gallery, for `ui`, `watch --ui` and `serve`."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reconciler.cli.context import Context
from reconciler.diagnostics import UsageError

if TYPE_CHECKING:
    from reconciler import Choice
    from reconciler.gallery.server.guard import ReadOnly
    from reconciler.gallery.server.hooks import HookReceiver
    from reconciler.watch import Allowance


def run_with_gallery(app: Context, choice: Choice, allowance: Allowance, *, port: int | None, browse: bool) -> int:
    """Run a watch with a gallery page until the user ends it, and return the exit code. `browse`: open a browser."""
    from reconciler.gallery.server.server import Gallery, GalleryOptions
    from reconciler.watch import PageRequests, Watch, WatchContext

    requests = PageRequests()
    with Gallery(GalleryOptions(app.project.workspace(), choice, port), requests) as gallery:
        _announce(app, gallery.url)
        if browse and sys.stderr.isatty() and _has_desktop():
            threading.Thread(target=webbrowser.open, args=[gallery.url], name="browser", daemon=True).start()
        context = WatchContext(
            app.workspace, choice, allowance, app.view, app.access.connect, app.keyboard, gallery, requests
        )
        return Watch(context).run()


def run_read_only(app: Context, choice: Choice, access: ReadOnly, port: int | None) -> int:
    """Show the plan of a watch that nobody can ask for anything, until a signal ends it. Return the exit code."""
    from reconciler.gallery.server.server import Gallery, GalleryOptions
    from reconciler.watch import Allowance, Watch, WatchContext

    with Gallery(GalleryOptions(app.project.workspace(), choice, port, access), None) as gallery:
        _announce(app, gallery.url)
        allowance = Allowance(on_request=True)
        return Watch(WatchContext(app.workspace, choice, allowance, app.view, app.access.connect, page=gallery)).run()


def hook_receiver(app: Context, url: str) -> HookReceiver:
    """Return what receives the calls of vendors at an address. Raises UsageError for one that they must not call, or
    without a secret, and ClipformError for a project without a shared state."""
    from reconciler.engine.operations.shared_state import connect
    from reconciler.gallery.server.hooks import HookReceiver
    from reconciler.spec.environment import is_local
    from reconciler.state import hooks

    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_local(url))
    if not (is_safe and parts.hostname) or parts.query or parts.fragment or "@" in parts.netloc or " " in url:
        raise UsageError(f"--hooks: {url} is not an address such as https://films.example.com")
    secret = hooks.secret_of(app.workspace.env)
    if not secret:
        raise UsageError(f"--hooks needs a secret in {hooks.SECRET}", help="the same here and where clips are applied")
    app.require_trust()
    connect(app.workspace)  # a project without a shared state is an error here, not in the server's thread
    return HookReceiver(partial(connect, app.project.workspace()), url.rstrip("/"), secret, app.clock)


def _announce(app: Context, url: str) -> None:
    if app.options.json:
        app.view.note("listening", {"event": "listening", "url": url})
    else:
        sys.stderr.write(f"Gallery: {url}\n")
        sys.stderr.flush()


def _has_desktop() -> bool:
    """True if a browser opens a window. A text browser would compete with clipform for the terminal."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
