"""Clocks, sponges and transports for the tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from reconciler.providers.base import NotSent, Pace, Reply, Request, Unknown
from reconciler.providers.capabilities import SpokenOverHttp
from reconciler.providers.registry import dialect
from reconciler.transport.account import Account
from reconciler.transport.channel import Waits
from reconciler.transport.client import HttpTransport
from reconciler.transport.exchange import Timeouts
from reconciler.transport.fetch import Bounds
from reconciler.transport.ports import Environment

KEY = "sk-canary/7f3a+secret=="
"""The credential of the tests; it may show up at the provider's own origin and nowhere else."""

FAST = Waits(
    submit=Timeouts(connect=0.3, idle=0.3, total=0.6),
    ask=Timeouts(connect=0.3, idle=0.3, total=0.6),
    media=Bounds(timeouts=Timeouts(connect=0.3, idle=0.3, total=2.0)),
)
"""Patience for tests: real sockets need real time, so there is little of it."""

PACE = Pace(requests_per_second=1000.0, concurrency=4)


class JumpClock:
    """A clock on which sleeping moves time at once. Concurrent sleepers may oversleep, as on a real one."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.time = 0.0
        self.start = now
        self.naps: list[float] = []

    def now(self) -> float:
        """UTC seconds."""
        return self.start + self.time

    def monotonic(self) -> float:
        """Seconds since the test began."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Jump."""
        self.naps.append(seconds)
        wake = self.time + seconds
        await asyncio.sleep(0)
        self.time = max(self.time, wake)


class Part:
    """A part in memory."""

    def __init__(self, each: Callable[[], None] = lambda: None) -> None:
        self.content = bytearray()
        self.writes = 0
        self.expected: int | None = None
        self._each = each

    def expect(self, size: int, /) -> None:
        """Remember what was announced."""
        self.expected = size

    def write(self, data: bytes, /) -> None:
        """Append."""
        self.content += data
        self.writes += 1
        self._each()


def remote(kind: str, settings: Mapping[str, object] | None = None) -> SpokenOverHttp:
    """A dialect over HTTP."""
    found = dialect(kind, settings or {})
    assert isinstance(found, SpokenOverHttp)
    return found


class Names:
    """A resolver that knows only what it was told, and counts."""

    def __init__(self, known: Mapping[str, Sequence[str]]) -> None:
        self.known, self.asked = known, list[str]()

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a name."""
        self.asked.append(host)
        if host not in self.known:
            raise OSError(f"no such name: {host}")
        return self.known[host]


def world(
    clock: JumpClock | None = None,
    *,
    proxy: str | None = None,
    cache: Path | None = None,
    names: Mapping[str, Sequence[str]] | None = None,
) -> Environment:
    """Surroundings without chance; names are known only as far as they are given."""
    return Environment(clock or JumpClock(), lambda url: proxy, cache, Names(names or {}), lambda: 0.5)


@asynccontextmanager
async def transport(
    url: str,
    kind: str = "jiekou",
    *,
    credentials: Mapping[str, str] | None = None,
    around: Environment | None = None,
    waits: Waits = FAST,
    pace: Pace = PACE,
) -> AsyncIterator[HttpTransport]:
    """A transport that is closed at the end."""
    account = Account(url, {"api_key": KEY} if credentials is None else credentials)
    made = HttpTransport(remote(kind), account, pace, around or world(), waits)
    try:
        yield made
    finally:
        await made.aclose()


async def submit(made: HttpTransport, request: Request) -> Reply | NotSent | Unknown:
    """Send a submit as the engine does."""
    async with made.slot() as send:
        return await send(request)
