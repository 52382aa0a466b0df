"""Serve both origins on loopback in one event loop, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.emulator.api import TRANSPORT, create_api
from reconciler.emulator.ledger import Ledger
from reconciler.emulator.media import create_media
from reconciler.emulator.rulebook import Faults, read_faults
from reconciler.emulator.studio import Blanks, Drafts
from reconciler.emulator.vendor import Vendor
from reconciler.emulator.world import Schedule, World
from reconciler.frozen import dataclass
from reconciler.serving import Quiet, address, bound


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `clipform emulate`."""

    port: int = 0  # 0: any two free ports; otherwise the media origin takes the next port
    latency: float = 2.0
    faults: Path | None = None
    ledger: Path | None = None
    render: bool = True
    list_rate: float = 1.0
    others: tuple[type[Vendor], ...] = ()  # of plug-ins


@dataclass(frozen=True, slots=True)
class Listening:
    """The addresses of the two origins, which are listening."""

    api: str
    media: str


def run(options: Options, listening: Callable[[Listening], None]) -> None:
    """Serve until SIGINT or SIGTERM. Raises ClipformError if it cannot start."""
    faults = read_faults(options.faults) if options.faults else Faults()
    ledger = Ledger(options.ledger)
    with (
        bound(options.port) as api,
        bound(options.port and options.port + 1) as media,
        tempfile.TemporaryDirectory() as scratch,
    ):
        try:
            asyncio.run(_serve(options, (api, media), (faults, ledger), Path(scratch), listening))
        finally:
            ledger.close()


async def _serve(
    options: Options,
    sockets: tuple[socket.socket, socket.socket],
    records: tuple[Faults, Ledger],
    scratch: Path,
    listening: Callable[[Listening], None],
) -> None:
    api, media = sockets
    faults, ledger = records
    studio = Drafts(scratch / "clips") if options.render else Blanks()
    world = World(time.time, studio, ledger, faults, scratch / "uploads", Schedule(options.latency), address(media))
    world.list_rate = options.list_rate
    servers = [Quiet(app, http=ExposedTransport) for app in (create_api(world, options.others), create_media(world))]
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    listening(Listening(address(api), address(media)))
    try:
        await asyncio.gather(*(server.serve([socket]) for server, socket in zip(servers, sockets, strict=True)))
    finally:
        await studio.aclose()


class ExposedTransport(H11Protocol):
    """A connection that faults can cut: its transport is in the ASGI scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Wrap the application, so that the scope of each request has the transport."""
        super().connection_made(transport)
        inner = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[TRANSPORT] = transport
            await inner(scope, receive, send)

        self.app = with_transport
