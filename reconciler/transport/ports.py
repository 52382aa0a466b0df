"""What the transport needs from outside: time, randomness, name resolution, proxies."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.clock import Clock

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host's name and a port to its addresses as text; raises OSError when there are none."""


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
