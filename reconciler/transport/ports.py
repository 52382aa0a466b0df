"""Dependencies of the transport: time, randomness, name resolution, proxies."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import field
from pathlib import Path

from reconciler.clock import Clock
from reconciler.frozen import dataclass

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Maps a host name and a port to addresses as text; raises OSError if there are none."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the system resolver's addresses of a name, without duplicates, in the system's order."""
    loop = asyncio.get_running_loop()
    addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in addresses))


@dataclass(frozen=True, slots=True)
class Environment:
    """The transport's dependencies. `proxy` returns the proxy of a URL; `cache` is the folder for a shared token."""

    clock: Clock
    proxy: Callable[[str], str | None] = field(default=lambda url: None)
    cache: Path | None = None
    resolve: Resolve = resolve
    random: Callable[[], float] = random.random
