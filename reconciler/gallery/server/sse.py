"""Server-sent events: a queue for each page. A page that reads too slowly is disconnected, then reconnects
and receives the whole Document."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from starlette.types import Receive, Scope, Send

_MAX_EVENTS: Final = 512
_MAX_BYTES: Final = 32 << 20
"""Limits of the queue of a page; a single event may be larger."""
_HEARTBEAT: Final = 15.0  # seconds
_SEND_TIMEOUT: Final = 20.0  # seconds for one event


class Stream:
    """The events that one page has not received yet."""

    def __init__(self) -> None:
        self._queue: deque[bytes] = deque()
        self._size = 0
        self._ready = asyncio.Event()
        self.over = False

    def put(self, event: bytes) -> None:
        """Add an event. A queue over its limits ends the stream."""
        if self.over:
            return
        self._queue.append(event)
        self._size += len(event)
        if len(self._queue) > _MAX_EVENTS or (self._size > _MAX_BYTES and len(self._queue) > 1):
            self._queue.clear()
            self.over = True
        self._ready.set()

    def close(self) -> None:
        """End the stream."""
        self.over = True
        self._ready.set()

    async def take(self, seconds: float) -> bytes:
        """Return all queued events, or a heartbeat after `seconds`; empty bytes once the stream is over."""
        if not self._queue and not self.over:
            try:
                async with asyncio.timeout(seconds):
                    await self._ready.wait()
            except TimeoutError:
                return b":\n\n"
        self._ready.clear()
        events = b"".join(self._queue)
        self._queue.clear()
        self._size = 0
        return events


def wire_event(name: str, json: bytes) -> bytes:
    """Return an event in the wire format; its JSON is without line ends."""
    return b"event: " + name.encode() + b"\ndata: " + json + b"\n\n"


class StreamResponse:
    """Sends a stream until it is over, or the page disconnects, or stops reading."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
        disconnect = asyncio.create_task(self._close_on_disconnect(receive))
        try:
            async with asyncio.timeout(_SEND_TIMEOUT):
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": b"retry: 1000\n\n", "more_body": True})
            while chunk := await self._stream.take(_HEARTBEAT):
                async with asyncio.timeout(_SEND_TIMEOUT):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            async with asyncio.timeout(1):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return  # the page does not read; the server aborts an unfinished response
        finally:
            disconnect.cancel()

    async def _close_on_disconnect(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._stream.close()
