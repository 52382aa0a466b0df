"""A server on this machine that speaks Ark's protocol with odd figures, and remembers every byte that it is sent."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.reliability.simulator.videos import tiny

FIGURES: tuple[object, ...] = (-1, -20_000, 0, 0.5, 10**17, 9 * 10**17, 10**40, 1e308, float("nan"), float("inf"))
ODD = (*FIGURES, True, None, "20000", "", [1], {"a": 1}, "\ud800", "x" * 5000, "\x1b[2J", "../../elsewhere", "<script>")
"""What may stand in any field of a reply."""
STATES = ("succeeded", "succeeded", "succeeded", "running", "queued", "failed", "expired", "cancelled", "odd")


class OddVendor(ThreadingHTTPServer):
    """`requests` are the first line, the headers and the body of each request, in order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.chance = random.Random(0)
        self.count = 0

    def reply(self, method: str, path: str) -> tuple[int, bytes]:
        """A status and a body: sound in the main, with one odd field often."""
        if path.endswith("/video.mp4"):
            return 200, tiny(1)
        self.count += method == "POST"
        if self.chance.random() < 0.1:
            return self.chance.choice((400, 401, 402, 403, 404, 429, 500)), b'{"error": {"code": "Odd", "message": ""}}'
        task = path.rpartition("/")[2] if method == "GET" else f"cgt-{self.count}"
        body: dict[str, object] = {"id": task}
        if method == "GET":
            tokens = self.chance.choice((20_000, 20_000, self.chance.choice(FIGURES)))
            usage = {"completion_tokens": tokens, "total_tokens": tokens}
            video = {"video_url": f"{self.address}/media/{task}/video.mp4"}
            facts = {"model": "doubao-seedance-1-0-pro-250528", "status": self.chance.choice(STATES), "seed": 4}
            body |= {**facts, "content": video, "usage": usage, "duration": 5, "created_at": 1, "updated_at": 2}
        if self.chance.random() < 0.3:
            holder = self.chance.choice([body, *(value for value in body.values() if isinstance(value, dict))])
            holder[self.chance.choice(sorted(holder))] = self.chance.choice(ODD)
        return 200, json.dumps(body).encode()


class _Handler(BaseHTTPRequestHandler):
    server: OddVendor

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.requests.append((self.requestline, dict(self.headers), body))
        status, data = self.server.reply(self.command, self.path)
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def odd_vendor() -> Iterator[OddVendor]:
    """Serve for the time of the block."""
    with OddVendor() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
