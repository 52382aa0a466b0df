"""What is asked, and by whom it is answered."""

from __future__ import annotations

import asyncio
import json
import re
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.diagnostics import ClipformError
from reconciler.gallery.document.detail import EVENTS
from reconciler.gallery.server.actions import Desk, status_of
from reconciler.gallery.server.guard import Json, refusal
from reconciler.gallery.server.hub import Hub
from reconciler.gallery.server.media_files import FOREVER, Found, Library, kind_of
from reconciler.gallery.server.sse import StreamResponse
from reconciler.project.workspace import Workspace
from reconciler.state.history import LogEntry
from reconciler.state.store import Store

_ASSETS = Path(str(files("reconciler.gallery"))) / "page"
_ASSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}
_LONGEST = 64 << 10
"""Bytes of what is posted."""


class Answers:
    """The routes. `draft`: whose state the events are from."""

    def __init__(self, hub: Hub, desk: Desk, library: Library, draft: bool) -> None:
        self._hub, self._desk, self._library = hub, desk, library
        self._workspace: Workspace = desk.workspace
        self._draft = draft

    def app(self) -> ASGIApp:
        """The application, without its guard."""
        routes = [
            Route("/", self._page),
            Route("/assets/{name}", self._asset),
            Route("/api/gallery", self._gallery),
            Route("/api/events", _Events(self._hub)),
            Route("/api/clips/{name:path}", self._clip),
            Route("/media/{name}", self._media),
            Route("/media/input/{name}", self._picture),
            Route("/api/{action}", self._act, methods=["POST"]),
        ]
        return Starlette(routes=routes, exception_handlers={404: _missing, 405: _missing, 500: _failed})

    async def _page(self, request: Request) -> Response:
        return await _file(_ASSETS / "page.html", "text/html; charset=utf-8")

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        kind = _KINDS.get(Path(name).suffix)
        if kind is None or not _ASSET.fullmatch(name):
            return _nothing()
        return await _file(_ASSETS / name, kind)

    async def _gallery(self, request: Request) -> Response:
        return Json(self._hub.document())

    async def _clip(self, request: Request) -> Response:
        name = request.path_params["name"]
        events = await asyncio.to_thread(self._events, name)
        found = self._hub.detail(name, events)
        return _nothing() if found is None else Json(found)

    def _events(self, name: str) -> list[LogEntry]:
        store = Store.read(self._workspace.state_dir(self._draft), self._workspace.clock.now)
        if store is None:
            return []
        with store:
            return store.events(name, EVENTS)

    async def _media(self, request: Request) -> Response:
        name = request.path_params["name"]
        return _content(name, await self._library.media(name, self._hub.shelf), FOREVER)

    async def _picture(self, request: Request) -> Response:
        name = request.path_params["name"]
        return _content(name, await self._library.picture(name, self._hub.shelf), "private, no-cache")

    async def _act(self, request: Request) -> Response:
        action = self._desk.actions().get(request.path_params["action"])
        if action is None:
            return _nothing()
        try:
            body = await _body(request)
            return refusal(400, "body", "this is no JSON object") if body is None else Json(await action(body))
        except ClipformError as error:
            return refusal(status_of(error), error.code, error.message, error.help)


class _Events:
    """The stream of a page, for as long as it looks."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            await _nothing()(scope, receive, send)
            return
        with self._hub.listening() as stream:
            await StreamResponse(stream)(scope, receive, send)


async def _body(request: Request) -> dict[str, object] | None:
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > _LONGEST:
            return None
    try:
        body = json.loads(found)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


async def _file(path: Path, kind: str) -> Response:
    if not await asyncio.to_thread(path.is_file):
        return _nothing()
    return FileResponse(path, media_type=kind, headers={"Cache-Control": "no-cache"})


def _content(name: str, found: Found | None, cache: str) -> Response:
    if found is None:
        return _nothing()
    path, status = found
    return FileResponse(path, media_type=kind_of(name), headers={"Cache-Control": cache}, stat_result=status)


def _nothing() -> Response:
    return refusal(404, "missing", "there is no such thing")


async def _missing(request: Request, error: Exception) -> Response:
    return _nothing()


async def _failed(request: Request, error: Exception) -> Response:
    text = f"{type(error).__name__}: {error}. This is a bug in clipform."
    return refusal(500, "bug", text)
