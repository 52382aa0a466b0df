"""Serve the API origin: all vendors under their prefixes, and the ledger.

/<kind>/…            the vendor's own addresses
GET  /ledger         {count, entries}: every accepted task
GET  /ledger/leaks   {count, leaks}: credentials that were sent to the media origin
POST /reset          clear everything in memory
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from reconciler.emulator.ark import Ark, Hei
from reconciler.emulator.chanjing import Chanjing
from reconciler.emulator.exchange import Answer, Call, Refused
from reconciler.emulator.fal import Fal
from reconciler.emulator.jiekou import Jiekou
from reconciler.emulator.jimmyai import Jimmyai
from reconciler.emulator.tamper import instead, spoiled
from reconciler.emulator.uniall import Uniall
from reconciler.emulator.vendor import Endpoint, Vendor
from reconciler.emulator.world import World

_VENDORS: tuple[type[Vendor], ...] = (Jiekou, Jimmyai, Chanjing, Uniall, Hei, Ark, Fal)

KINDS = tuple(vendor.kind for vendor in _VENDORS)
TRANSPORT = "clipform.transport"
"""The ASGI extension that holds the server's connection, so that a fault can cut it."""


def vendor_of(kind: str) -> type[Vendor] | None:
    """Return the vendor of a kind; None for one that is not emulated."""
    return next((vendor for vendor in _VENDORS if vendor.kind == kind), None)


def create_api(world: World, others: Sequence[type[Vendor]] = ()) -> Starlette:
    """Return the ASGI application of the API origin; `others` are vendors of other packages."""
    vendors = [vendor(world) for vendor in dict.fromkeys((*_VENDORS, *others))]
    mounts: list[BaseRoute] = [Mount(f"/{vendor.kind}", routes=_routes(vendor)) for vendor in vendors]
    return Starlette(routes=[*mounts, *_admin_routes(world)])


def _routes(vendor: Vendor) -> list[Route]:
    """Return a vendor's routes; literal paths first, so that a placeholder matches only the others."""
    endpoints = sorted(vendor.endpoints(), key=lambda endpoint: "{" in endpoint.path)
    routes = [Route(item.path, _exchange(vendor, item), methods=[item.method]) for item in endpoints]

    async def unknown(request: Request) -> Response:
        return _response(vendor.refusal(*vendor.no_address))

    return [*routes, Route("/{path:path}", unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])]


def _exchange(vendor: Vendor, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        call = await _read(request)
        fault = vendor.world.faults.pick(vendor.kind, endpoint.phase, _model(vendor, call), call.task_id)
        refusal = instead(vendor, fault)
        if refusal is not None:
            return _response(refusal)
        try:
            answer = await endpoint.handler(Call(call.headers, call.params, call.query, call.content, fault))
        except Refused as refused:
            return _response(refused.answer)
        return _response(spoiled(vendor, fault, answer))

    return handle


def _model(vendor: Vendor, call: Call) -> str:
    """Return the model of a request: its task's, else the one that it names."""
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
    """A closed connection instead of an answer, after the bytes `raw`."""

    def __init__(self, raw: bytes = b"") -> None:
        super().__init__()
        self.raw = raw

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write, close, and wait until the server notices."""
        transport = scope["extensions"][TRANSPORT]
        transport.write(self.raw)
        transport.close()
        message = await receive()
        while message["type"] != "http.disconnect":
            message = await receive()


def _admin_routes(world: World) -> list[Route]:
    async def ledger(request: Request) -> Response:
        return JSONResponse(world.ledger.document())

    async def leaks(request: Request) -> Response:
        return JSONResponse({"count": len(world.leaks), "leaks": world.leaks})

    async def reset(request: Request) -> Response:
        world.reset()
        return JSONResponse({})

    return [Route("/ledger", ledger), Route("/ledger/leaks", leaks), Route("/reset", reset, methods=["POST"])]
