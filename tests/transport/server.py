"""A loopback server made of raw sockets, so that it can misbehave in every way that a real one does.

A script is a list of steps for one exchange: `READ` takes the request, bytes are sent as they are, `CLOSE` and `RESET`
end the connection in the two ways there are, `HANG` says nothing more, `Trickle` sends its bytes one by one. The n-th
exchange follows the n-th script, all further ones the last.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any


class Step(Enum):
    """What is no bytes."""

    READ = auto()
    CLOSE = auto()
    RESET = auto()
    HANG = auto()
    FLOOD = auto()  # zeros until the other side is gone


READ, CLOSE, RESET, HANG, FLOOD = Step.READ, Step.CLOSE, Step.RESET, Step.HANG, Step.FLOOD


@dataclass(frozen=True)
class Trickle:
    """Bytes one by one."""

    content: bytes
    every: float = 0.02


Script = Sequence[Step | bytes | Trickle]


@dataclass(frozen=True)
class Seen:
    """A request as it came in; header names are lower-case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Server:
    """What was asked of it, and where it is."""

    scripts: Sequence[Script]
    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    exchanges: int = 0
    raw: bytearray = field(default_factory=bytearray)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    kept: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the test is over
        finally:
            self.tasks.discard(task)
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One script; whether the connection is kept. On a kept one it is chosen when the next request has come."""
        kept = await self._request(reader) if writer in self.kept else None
        script = self.scripts[min(self.exchanges, len(self.scripts) - 1)]
        self.exchanges += 1
        for step in script:
            if step is READ and kept is not None:
                self.seen.append(kept)
            elif not await self._do(step, reader, writer):
                return False
        self.kept.add(writer)
        return True

    async def _do(
        self, step: Step | bytes | Trickle, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        match step:
            case Step.READ:
                self.seen.append(await self._request(reader))
            case Step.CLOSE:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
                return False
            case Step.RESET:
                plain = writer.get_extra_info("socket")
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return False
            case Step.HANG:
                await asyncio.Event().wait()
            case Step.FLOOD:
                while True:
                    await self._send(writer, bytes(1 << 20))
            case Trickle(content, every):
                for i in range(len(content)):
                    await self._send(writer, content[i : i + 1])
                    await asyncio.sleep(every)
            case bytes():
                await self._send(writer, step)
        return True

    async def _send(self, writer: asyncio.StreamWriter, content: bytes) -> None:
        writer.write(content)
        await writer.drain()

    async def _request(self, reader: asyncio.StreamReader) -> Seen:
        head = await reader.readuntil(b"\r\n\r\n")
        self.raw += head
        first, *lines = head.decode().rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.raw += body
        return Seen(method, target, headers, body)


@asynccontextmanager
async def serve(*scripts: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server on loopback for as long as the block lasts."""
    server = Server(scripts)
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=tls, limit=1 << 22)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        tasks = list(server.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


def http(status: int, body: object = b"", *headers: str, length: int | None = None) -> bytes:
    """An answer: a body that is no bytes is sent as JSON. `length` states another length than it has."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content) if length is None else length}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def answer(status: int, body: object = b"", *headers: str) -> Script:
    """Read the request, then answer it."""
    return (READ, http(status, body, *headers))
