"""Measures what one small request costs its client in CPU: httpx's pool, clipform's connections, aiohttp.

    uv run python -m benchmarks.requests [--requests 1000] [--width 64] [--rounds 3]

The server is a process of its own that answers every request with the same JSON. Each row is the CPU of this process
for one request, with `width` of them at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

import aiohttp
import httpx

from benchmarks.kit import circumstances, python, table
from reconciler.transport.exchange import Connections, OutgoingRequest, Timeouts, read

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"ok"}'
LIMITS = Timeouts(connect=60, idle=60, total=60)
LINES = 16
"""Connections that clipform keeps to one provider."""

Ask = Callable[[], Awaitable[object]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure the CPU of one request.")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args(arguments)
    with subprocess.Popen(
        python("-m", "benchmarks.requests", "serve"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
    ) as child:
        assert child.stdout is not None
        url = json.loads(child.stdout.readline())["url"]
        rounds = [{name: _cost(client, url, asked) for name, client in CLIENTS.items()} for _ in range(asked.rounds)]
        child.communicate(timeout=30)
    print(circumstances())
    rows = [[name, f"{1000 * median(costs[name] for costs in rounds):.2f} ms"] for name in CLIENTS]
    print(table([f"{asked.width} in flight", "CPU a request"], rows))


def _cost(client: Callable[[str], AsyncIterator[Ask]], url: str, asked: argparse.Namespace) -> float:
    """Return CPU seconds of one request, after a few that open connections and import."""

    async def run() -> float:
        slots = asyncio.Semaphore(asked.width)
        async with asynccontextmanager(client)(url) as ask:

            async def one() -> None:
                async with slots:
                    await ask()

            await asyncio.gather(*(one() for _ in range(asked.width)))
            began = time.process_time()
            await asyncio.gather(*(one() for _ in range(asked.requests)))
            return time.process_time() - began

    return asyncio.run(run()) / float(asked.requests)


async def _pool(url: str) -> AsyncIterator[Ask]:
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=LINES), timeout=60, trust_env=False) as client:
        yield lambda: client.get(url)


async def _kept(url: str) -> AsyncIterator[Ask]:
    connections, lines = Connections(keep=LINES), asyncio.Semaphore(LINES)

    async def ask() -> None:
        async with lines:
            await _exchange(connections, url)

    yield ask
    await connections.aclose()


async def _fresh(url: str) -> AsyncIterator[Ask]:
    yield lambda: _exchange(Connections(), url)


async def _exchange(connections: Connections, url: str) -> bytes:
    async with connections.open(OutgoingRequest("GET", url), LIMITS) as incoming:
        return await read(incoming, 1 << 20)


async def _aiohttp(url: str) -> AsyncIterator[Ask]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=LINES)) as session:

        async def ask() -> None:
            async with session.get(url) as reply:
                await reply.read()

        yield ask


CLIENTS: dict[str, Callable[[str], AsyncIterator[Ask]]] = {
    f"httpx, one client with a pool of {LINES}": _pool,
    f"clipform's connections, {LINES} kept (polls)": _kept,
    "clipform's connections, a fresh one each (submits, downloads)": _fresh,
    f"aiohttp, {LINES} connections": _aiohttp,
}


async def serve() -> None:
    """Answer every request on a free port until the input ends."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    print(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
    else:
        main()
