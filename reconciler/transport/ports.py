"""What the transport needs from outside: time, chance, names, a place for bytes.

`Clock` and `Sponge` are the engine's ports of the same names, stated again because this layer lies below the engine;
both are structural, so one object satisfies both.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host's name and a port to its addresses as text; raises OSError when there are none."""


class Clock(Protocol):
    """Time, passed in."""

    def now(self) -> float:
        """UTC seconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class Sponge(Protocol):
    """Takes bytes."""

    def expect(self, size: int, /) -> None:
        """So many bytes are announced; raises when there is no room for them, before any is written."""

    def write(self, data: bytes, /) -> object:
        """Append bytes."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """The system's addresses of a name, each once, in the system's order."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True)
class Environment:
    """The transport's surroundings. `proxy` finds the proxy of a URL, `cache` is where a shared token may be kept."""

    clock: Clock
    proxy: Callable[[str], str | None] = field(default=lambda url: None)
    cache: Path | None = None
    resolve: Resolve = resolve
    random: Callable[[], float] = random.random
