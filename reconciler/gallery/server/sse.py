"""Server-sent events: a queue for each page. A page that does not keep up is let go; it comes back and is told all."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Final

from starlette.types import Receive, Scope, Send

_LONGEST: Final = 512
_LARGEST: Final = 32 << 20
"""Events, and bytes of them, that may wait for a page; the first one may be larger."""
_HEARTBEAT: Final = 15.0
_PATIENCE: Final = 20.0
"""Seconds in which one event must have been taken."""


class Stream:
    """What one page is yet to be told."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._news = asyncio.Event()
        self.over = False

    def put(self, event: bytes) -> None:
        """One more event; too many that were not taken, and the stream is over."""
        if self.over:
            return
        self._waiting.append(event)
        self._size += len(event)
        if len(self._waiting) > _LONGEST or (self._size > _LARGEST and len(self._waiting) > 1):
            self._waiting.clear()
            self.over = True
        self._news.set()

    def close(self) -> None:
        """Nothing more."""
        self.over = True
        self._news.set()

    async def take(self, seconds: float) -> bytes:
        """All that waits, or a sign of life; empty once it is over."""
        if not self._waiting and not self.over:
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                return b":\n\n"
        self._news.clear()
        found = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        return found


def encoded(name: str, value: object) -> bytes:
    """An event on the wire: JSON without line ends."""
    return b"event: " + name.encode() + b"\ndata: " + plain(value) + b"\n\n"


def plain(value: object) -> bytes:
    """JSON in one line. What no encoding can carry, half a character from a server's answer, is a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


class StreamResponse:
    """Sends a stream until it is over, or the page goes away, or does not take what it is sent."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The answer."""
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
        leaving = asyncio.create_task(self._leave(receive))
        try:
            async with asyncio.timeout(_PATIENCE):
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": b"retry: 1000\n\n", "more_body": True})
            while chunk := await self._stream.take(_HEARTBEAT):
                async with asyncio.timeout(_PATIENCE):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            async with asyncio.timeout(1):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return  # it does not read: the server cuts an answer that was not finished
        finally:
            leaving.cancel()

    async def _leave(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._stream.close()
