"""The HTTP routes of the live gallery."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.diagnostics import ClipformError, UsageError
from reconciler.gallery.document.detail import READ_EVENTS
from reconciler.gallery.document.model import Value
from reconciler.gallery.server import metrics
from reconciler.gallery.server.actions import Body, PageActions
from reconciler.gallery.server.guard import HEALTH, HOOK, METRICS, answer, refusal
from reconciler.gallery.server.hooks import HookReceiver
from reconciler.gallery.server.hub import Hub
from reconciler.gallery.server.media_files import FOREVER, MediaFile, MediaFiles, kind_of
from reconciler.gallery.server.sse import StreamResponse
from reconciler.project.workspace import Workspace

_ASSETS = Path(str(files("reconciler.gallery"))) / "page"
_ASSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_MAX_BODY = 64 << 10  # bytes


class Routes:
    """The routes of a hub; what may be posted is in `actions`, and nothing is posted to a read-only gallery."""

    def __init__(
        self,
        hub: Hub,
        workspace: Workspace,
        media_files: MediaFiles,
        actions: PageActions | None,
        hooks: HookReceiver | None = None,
    ) -> None:
        self._hub, self._workspace, self._media_files, self._actions = hub, workspace, media_files, actions
        self._hooks = hooks

    def app(self) -> ASGIApp:
        """Return the application, without its guard."""
        routes = [
            Route("/", self._page),
            Route("/assets/{name}", self._asset),
            Route("/api/gallery", self._gallery),
            Route("/api/events", _Events(self._hub)),
            Route("/api/cards", self._cards),
            Route("/api/search", self._search),
            Route("/api/clips/{name:path}", self._clip),
            Route("/media/{name}", self._media),
            Route("/media/input/{name}", self._picture),
        ]
        if self._hooks is not None:
            routes.append(Route(f"{HOOK}{{account}}/{{token}}", self._hooks.receive, methods=["POST"]))
        if self._actions is None:
            routes += [Route(HEALTH, self._health), Route(METRICS, self._metrics)]
        else:
            routes.append(Route("/api/{action}", partial(_act, self._actions.actions()), methods=["POST"]))
        return Starlette(routes=routes, exception_handlers={404: _missing, 405: _missing, 500: _failed})

    async def _page(self, request: Request) -> Response:
        return await _file(_ASSETS / "page.html", "text/html; charset=utf-8")

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        kind = _KINDS.get(Path(name).suffix)
        if kind is None or not _ASSET.fullmatch(name):
            return _not_found()
        return await _file(_ASSETS / name, kind)

    async def _gallery(self, request: Request) -> Response:
        return Response(self._hub.document(), media_type="application/json")

    async def _cards(self, request: Request) -> Response:
        return answer(self._hub.cards(request.query_params.getlist("id")))

    async def _search(self, request: Request) -> Response:
        return answer(self._hub.search(request.query_params.get("text", "")))

    async def _clip(self, request: Request) -> Response:
        name = request.path_params["name"]
        events = await asyncio.to_thread(self._workspace.events, self._hub.context.draft, name, READ_EVENTS)
        detail = self._hub.detail(name, events)
        return _not_found() if detail is None else answer(detail)

    async def _media(self, request: Request) -> Response:
        name = request.path_params["name"]
        return _content(name, await self._media_files.media(name, self._hub.media), FOREVER)

    async def _picture(self, request: Request) -> Response:
        name = request.path_params["name"]
        return _content(name, await self._media_files.picture(name, self._hub.media), "private, no-cache")

    async def _health(self, request: Request) -> Response:
        """Say whether there is a plan of a project without errors; nothing else, because anybody may ask."""
        is_well = self._hub.plan is not None
        return PlainTextResponse("ok\n" if is_well else "no plan\n", 200 if is_well else 503)

    async def _metrics(self, request: Request) -> Response:
        try:
            content, kind = metrics.exposition(self._hub.index, is_broken=bool(self._hub.problems), now=self._hub.now())
        except ImportError:
            return refusal(501, "extra", "the figures need prometheus-client", "install the extra clipform[cluster]")
        return Response(content, headers={"Content-Type": kind})


async def _act(actions: Mapping[str, Callable[[Body], Awaitable[Value]]], request: Request) -> Response:
    action = actions.get(request.path_params["action"])
    if action is None:
        return _not_found()
    try:
        return answer(await action(await _body(request)))
    except ClipformError as error:
        status = 400 if isinstance(error, UsageError) else 409
        return refusal(status, error.code, error.message, error.help)


class _Events:
    """The event stream of a page, until it disconnects."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            await _not_found()(scope, receive, send)
            return
        with self._hub.listening() as stream:
            await StreamResponse(stream)(scope, receive, send)


async def _body(request: Request) -> dict[str, object]:
    """Return the posted JSON object. Raises UsageError for anything else."""
    data, body = bytearray(), None
    async for chunk in request.stream():
        data += chunk
        if len(data) > _MAX_BODY:
            break
    else:
        with suppress(ValueError, RecursionError):
            body = json.loads(data)
    if not isinstance(body, dict):
        raise UsageError("the request body must be a JSON object", code="body")
    return body


async def _file(path: Path, kind: str) -> Response:
    if not await asyncio.to_thread(path.is_file):
        return _not_found()
    return FileResponse(path, media_type=kind, headers={"Cache-Control": "no-cache"})


def _content(name: str, file: MediaFile | None, cache: str) -> Response:
    if file is None:
        return _not_found()
    path, status = file
    return FileResponse(path, media_type=kind_of(name), headers={"Cache-Control": cache}, stat_result=status)


def _not_found() -> Response:
    return refusal(404, "missing", "not found")


async def _missing(request: Request, error: Exception) -> Response:
    return _not_found()


async def _failed(request: Request, error: Exception) -> Response:
    return refusal(500, "bug", f"{type(error).__name__}: {error}. This is a bug in clipform.")
