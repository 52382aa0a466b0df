"""The API origin: all vendors under their prefixes, and the ledger.

/<kind>/…            the vendor's own addresses
GET  /ledger         {count, entries}: every accepted task
GET  /ledger/leaks   {count, leaks}: credentials that arrived at the media origin
POST /reset          forget everything in memory
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from reconciler.emulator.ark import Ark, Hei
from reconciler.emulator.chanjing import Chanjing
from reconciler.emulator.exchange import Answer, Call, Refused
from reconciler.emulator.jiekou import Jiekou
from reconciler.emulator.jimmyai import Jimmyai
from reconciler.emulator.tamper import instead, spoiled
from reconciler.emulator.uniall import Uniall
from reconciler.emulator.vendor import Endpoint, Vendor
from reconciler.emulator.world import World

_VENDORS: tuple[type[Vendor], ...] = (Jiekou, Jimmyai, Chanjing, Uniall, Hei, Ark)

KINDS = tuple(vendor.kind for vendor in _VENDORS)
TRANSPORT = "clipform.transport"
"""The extension by which a server lends us its connection, so that it can be cut."""


def create_api(world: World) -> Starlette:
    """The ASGI application of the API origin."""
    vendors = [vendor(world) for vendor in _VENDORS]
    mounts: list[BaseRoute] = [Mount(f"/{vendor.kind}", routes=_routes(vendor)) for vendor in vendors]
    return Starlette(routes=[*mounts, *_own(world)])


def _routes(vendor: Vendor) -> list[Route]:
    """A vendor's addresses; literal ones first, so that a placeholder takes only what is left."""
    endpoints = sorted(vendor.endpoints(), key=lambda endpoint: "{" in endpoint.path)
    known = [Route(item.path, _exchange(vendor, item), methods=[item.method]) for item in endpoints]

    async def lost(request: Request) -> Response:
        return _response(vendor.unknown_address())

    return [*known, Route("/{rest:path}", lost, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])]


def _exchange(vendor: Vendor, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        call = await _read(request)
        fault = vendor.world.faults.pick(vendor.kind, endpoint.phase, _model(vendor, call), call.task_id)
        early = instead(vendor, fault)
        if early is not None:
            return _response(early)
        try:
            answer = await endpoint.handler(Call(call.headers, call.params, call.query, call.content, fault))
        except Refused as refused:
            return _response(refused.answer)
        return _response(spoiled(vendor, fault, answer))

    return handle


def _model(vendor: Vendor, call: Call) -> str:
    """The model that a request is about: the one it names, else its task's."""
    task = vendor.world.tasks.get(call.task_id)
    return task.model if task is not None else vendor.model_of(call)


async def _read(request: Request) -> Call:
    return Call(
        headers=dict(request.headers),
        params=dict(request.path_params),
        query=tuple(request.query_params.multi_items()),
        content=await request.body(),
    )


def _response(answer: Answer) -> Response:
    if answer.dropped:
        return Dropped()
    headers: Mapping[str, str] = {"content-type": "application/json; charset=utf-8", **answer.headers}
    return Response(answer.content(), answer.status, dict(headers))


class Dropped(Response):
    """No answer: the connection is closed, after `raw` was written to it as it is."""

    def __init__(self, raw: bytes = b"") -> None:
        super().__init__()
        self.raw = raw

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write, close, and wait until the server has noticed."""
        transport = scope["extensions"][TRANSPORT]
        transport.write(self.raw)
        transport.close()
        message = await receive()
        while message["type"] != "http.disconnect":
            message = await receive()


def _own(world: World) -> list[Route]:
    async def ledger(request: Request) -> Response:
        return JSONResponse(world.ledger.document())

    async def leaks(request: Request) -> Response:
        return JSONResponse({"count": len(world.leaks), "leaks": world.leaks})

    async def reset(request: Request) -> Response:
        world.reset()
        return JSONResponse({})

    return [Route("/ledger", ledger), Route("/ledger/leaks", leaks), Route("/reset", reset, methods=["POST"])]
