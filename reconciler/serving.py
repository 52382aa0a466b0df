"""A loopback server without signal handlers or logging, for the emulator and the live gallery.

uvicorn's signal handling is disabled: it supports only one server in the main thread, and it would wait for streams
that never end. The caller sets `should_exit`; open responses then get `grace` seconds.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.diagnostics import ClipformError

HOST: Final = "127.0.0.1"


class Quiet(uvicorn.Server):
    """A server without signals, lifespan or log lines. `http` can be a custom connection class."""

    def __init__(self, app: ASGIApp, *, grace: int = 1, http: type[asyncio.Protocol] = H11Protocol) -> None:
        config = uvicorn.Config(
            app,
            http=http,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=grace,
        )
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no signal handlers."""
        yield


def bound(port: int, host: str = HOST) -> socket.socket:
    """Return a listening socket, on loopback if no host is given; connections wait until the server accepts them.
    0: any free port."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        help = "choose another with --port" if host == HOST else "choose another with --port or --host"
        raise ClipformError(f"port {port} cannot be used: {error.strerror}", help=help, code="port") from error


def address(listening: socket.socket) -> str:
    """Return the origin of a listening socket, such as http://127.0.0.1:8790."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
