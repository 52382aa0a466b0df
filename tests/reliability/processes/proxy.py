"""A proxy between a process and its vendor: forwards everything, records every request, and can delay an answer.

With it a test decides when, or if, the vendor's answer arrives, and sees the time of each request.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.emulator.process import Emulator

PATIENCE = 100.0
_OWN = ("connection", "transfer-encoding", "content-length", "keep-alive", "date", "server")
"""Headers of one hop: not passed on."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: when it came and when its answer left, by one clock, and what the answer said."""

    method: str
    path: str
    at: float
    answered: float = 0.0
    status: int = 0
    wait: str | None = None  # Retry-After


@dataclass
class Between:
    """What passes. `hold`: how many answers to POSTs are still to be held back."""

    vendor: Emulator
    api: str = ""
    log: list[Request] = field(default_factory=list)
    hold: int = 0
    held: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    free: threading.Event = field(default_factory=threading.Event)

    def until_held(self) -> None:
        """Wait until the vendor has said yes and the client does not know it yet."""
        assert self.held.acquire(timeout=PATIENCE), "no answer was held back"

    def release(self) -> None:
        """Let what is held go, and hold nothing more."""
        self.hold = 0
        self.free.set()

    def submits(self) -> list[Request]:
        """The POSTs."""
        return [request for request in self.log if request.method == "POST"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    between: Between

    def _pass(self) -> None:
        between, at = self.between, time.monotonic()
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        origin = urlsplit(between.vendor.api)
        line = http.client.HTTPConnection(origin.hostname or "", origin.port, timeout=PATIENCE)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("connection", "host")}
        line.request(self.command, self.path, body, headers)
        answer = line.getresponse()
        content = answer.read()
        line.close()
        if self.command == "POST" and between.hold > 0:
            between.hold -= 1
            between.held.release()
            between.free.wait(PATIENCE)
        wait = answer.headers.get("retry-after")
        between.log.append(Request(self.command, self.path, at, time.monotonic(), answer.status, wait))
        with suppress(OSError):  # the client is gone: that is often the point
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in _OWN:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    do_GET = do_POST = do_DELETE = do_PUT = _pass

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        with suppress(ConnectionError):  # a killed client resets
            super().handle()


@contextmanager
def between(vendor: Emulator) -> Iterator[Between]:
    """A place of its own in front of an emulator's API. Results come from the media origin as ever."""
    found = Between(vendor)
    handler = type("Handler", (_Handler,), {"between": found})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    found.api = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield found
    finally:
        found.release()
        server.shutdown()
        server.server_close()
        thread.join()
