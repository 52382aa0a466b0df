"""Two sockets on loopback, one loop, and an end on Ctrl-C that waits for nobody for long.

uvicorn's own signal handling is left out: it belongs to one server and we run two, and it would wait for streams that
a fault made endless.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.diagnostics import ClipformError
from reconciler.emulator.api import TRANSPORT, create_api
from reconciler.emulator.ledger import Ledger
from reconciler.emulator.media import create_media
from reconciler.emulator.rulebook import Faults, read_faults
from reconciler.emulator.studio import Blanks, Drafts
from reconciler.emulator.world import Schedule, World

_HOST: Final = "127.0.0.1"
_GRACE: Final = 1
"""Seconds that open answers get after Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was told."""

    port: int = 0  # 0: any two free ones; else the media origin takes the port after it
    latency: float = 2.0
    faults: Path | None = None
    ledger: Path | None = None
    render: bool = True


@dataclass(frozen=True, slots=True)
class Listening:
    """The two origins, once they are listening."""

    api: str
    media: str


def run(options: Options, listening: Callable[[Listening], None]) -> None:
    """Serve until SIGINT or SIGTERM. Raises ClipformError for what keeps it from starting."""
    faults = read_faults(options.faults) if options.faults else Faults()
    ledger = Ledger(options.ledger)
    with (
        _bound(options.port) as api,
        _bound(options.port and options.port + 1) as media,
        tempfile.TemporaryDirectory() as scratch,
    ):
        try:
            asyncio.run(_serve(options, (api, media), (faults, ledger), Path(scratch), listening))
        finally:
            ledger.close()


async def _serve(
    options: Options,
    sockets: tuple[socket.socket, socket.socket],
    kept: tuple[Faults, Ledger],
    scratch: Path,
    listening: Callable[[Listening], None],
) -> None:
    api, media = sockets
    faults, ledger = kept
    studio = Drafts(scratch / "clips") if options.render else Blanks()
    world = World(time.time, studio, ledger, faults, scratch / "uploads", Schedule(options.latency), _address(media))
    servers = [_Quiet(create_api(world)), _Quiet(create_media(world))]
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    listening(Listening(_address(api), _address(media)))
    try:
        await asyncio.gather(*(server.serve([own]) for server, own in zip(servers, sockets, strict=True)))
    finally:
        await studio.aclose()


class _Quiet(uvicorn.Server):
    """A server without signals, lifespan or log lines."""

    def __init__(self, app: ASGIApp) -> None:
        config = uvicorn.Config(
            app,
            http=_Lent,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


class _Lent(H11Protocol):
    """A connection that faults may cut: the application finds its transport in the scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Wrap the application, so that each of its requests carries the transport."""
        super().connection_made(transport)
        inner = self.app

        async def lent(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[TRANSPORT] = transport
            await inner(scope, receive, send)

        self.app = lent


def _bound(port: int) -> socket.socket:
    """A socket that listens on loopback from now on; connections wait until the server takes them."""
    try:
        return socket.create_server((_HOST, port), backlog=2048)
    except OSError as error:
        help = "choose another with --port"
        raise ClipformError(f"port {port} cannot be used: {error.strerror}", help=help, code="port") from error


def _address(bound: socket.socket) -> str:
    return f"http://{_HOST}:{bound.getsockname()[1]}"
