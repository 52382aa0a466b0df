"""The baselines of `transport`: a loop over an HTTP client that sends the same requests and does nothing else.

    python -m benchmarks.bare httpx|aiohttp API COUNT WIDTH FOLDER
    python -m benchmarks.bare fetch URL FILE
    python -m benchmarks.bare serve MEGABYTES

A loop submits, polls until done, downloads, hashes and writes, with one client and kept connections. It stores no state
and checks nothing. `fetch` is clipform's own download with its hash, alone. `serve` is a host for one large file; it
prints its address and ends when its input ends.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, BinaryIO

KEY = "rehearsal"
BODY = {"model": "seedance2.0-480p", "duration": 5, "aspect_ratio": "16:9"}
CHUNK = 1 << 16

Ask = Callable[[str, str, object], Awaitable[Any]]
Fetch = Callable[[str, Path], Awaitable[None]]


def main(arguments: list[str]) -> None:
    """Run one of the four."""
    match arguments:
        case ["httpx" | "aiohttp" as client, api, count, width, folder]:
            loop = with_httpx if client == "httpx" else with_aiohttp
            asyncio.run(loop(api, int(count), int(width), Path(folder)))
        case ["fetch", url, file]:
            asyncio.run(with_clipform(url, Path(file)))
        case ["serve", megabytes]:
            asyncio.run(serve(int(megabytes)))
        case _:
            sys.exit(__doc__)


async def with_httpx(api: str, count: int, width: int, folder: Path) -> None:
    """Run the loop with httpx."""
    import httpx

    limits = httpx.Limits(max_connections=width, max_keepalive_connections=width)
    async with httpx.AsyncClient(limits=limits, timeout=60, trust_env=False) as client:

        async def ask(method: str, path: str, body: object) -> Any:
            headers = {"authorization": f"Bearer {KEY}"}
            reply = await client.request(method, api + path, json=body, headers=headers)
            return reply.raise_for_status().json()

        async def fetch(url: str, target: Path) -> None:
            digest = hashlib.sha256()
            async with client.stream("GET", url) as reply:
                reply.raise_for_status()
                with target.open("wb") as file:
                    async for chunk in reply.aiter_bytes():
                        digest.update(chunk)
                        file.write(chunk)

        await _all(ask, fetch, count, width, folder)


async def with_aiohttp(api: str, count: int, width: int, folder: Path) -> None:
    """Run the loop with aiohttp."""
    import aiohttp

    connector = aiohttp.TCPConnector(limit=width)
    async with aiohttp.ClientSession(connector=connector, raise_for_status=True) as client:

        async def ask(method: str, path: str, body: object) -> Any:
            headers = {"authorization": f"Bearer {KEY}"}
            async with client.request(method, api + path, json=body, headers=headers) as reply:
                return await reply.json()

        async def fetch(url: str, target: Path) -> None:
            digest = hashlib.sha256()
            async with client.get(url) as reply:
                with target.open("wb") as file:
                    async for chunk in reply.content.iter_chunked(CHUNK):
                        digest.update(chunk)
                        file.write(chunk)

        await _all(ask, fetch, count, width, folder)


async def _all(ask: Ask, fetch: Fetch, count: int, width: int, folder: Path) -> None:
    """Make `count` clips, `width` at once."""
    slots = asyncio.Semaphore(width)

    async def one(number: int) -> None:
        async with slots:
            body = {**BODY, "prompt": f"lamp {number}", "extra_body": {"seed": number}}
            task = (await ask("POST", "/uniall/v1/video/generations", body))["id"]
            status: dict[str, Any] = {}
            while status.get("status") != "completed":
                status = await ask("GET", f"/uniall/v1/videos/{task}", None)
            await fetch(status["video_url"], folder / f"{number}.mp4")

    await asyncio.gather(*(one(number) for number in range(count)))


class Sink:
    """A plain file as the target of a download."""

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write

    def expect(self, size: int, /) -> None:
        """Accept any size."""


async def with_clipform(url: str, target: Path) -> None:
    """Download with clipform's transport."""
    from reconciler.clock import SystemClock
    from reconciler.transport.fetch import MediaClient
    from reconciler.transport.ports import Environment
    from reconciler.transport.redact import Redactor

    with target.open("wb") as file:
        await MediaClient(url, Environment(SystemClock()), Redactor(())).fetch(url, Sink(file))


async def serve(megabytes: int) -> None:
    """Serve one file for every request, sent by the kernel."""
    with tempfile.TemporaryFile() as file:
        for _ in range(megabytes):
            file.write(os.urandom(1 << 20))
        file.flush()
        size = megabytes << 20

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
            await asyncio.get_running_loop().sendfile(writer.transport, file, 0, size)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        print(json.dumps({"url": f"http://127.0.0.1:{port}/file.mp4"}), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        server.close()


if __name__ == "__main__":
    main(sys.argv[1:])
