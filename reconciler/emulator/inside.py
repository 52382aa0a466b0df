"""Serve both origins in a thread of this process, for the rules of the contract that talk to a vendor."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reconciler.emulator.api import create_api
from reconciler.emulator.ledger import Ledger
from reconciler.emulator.media import create_media
from reconciler.emulator.rulebook import parse_faults
from reconciler.emulator.server import ExposedTransport
from reconciler.emulator.studio import Blanks
from reconciler.emulator.vendor import Vendor
from reconciler.emulator.world import Schedule, World
from reconciler.serving import Quiet, address, bound

_LATENCY = 0.6  # seconds of the given clock


@contextmanager
def serving(
    vendor: type[Vendor], faults: Sequence[object], now: Callable[[], float], scratch: Path
) -> Iterator[tuple[str, World]]:
    """Serve one vendor on free ports of loopback; gives its base URL, and its state."""
    rules = parse_faults({"faults": list(faults)}, "the rule")
    with bound(0) as api, bound(0) as media:
        world = World(now, Blanks(), Ledger(), rules, scratch, Schedule(_LATENCY), address(media))
        apps = (create_api(world, (vendor,)), create_media(world))
        servers = [Quiet(app, http=ExposedTransport) for app in apps]

        async def serve() -> None:
            await asyncio.gather(*(server.serve([s]) for server, s in zip(servers, (api, media), strict=True)))

        thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
        thread.start()
        try:
            yield f"{address(api)}/{vendor.kind}", world
        finally:
            for server in servers:
                server.should_exit = server.force_exit = True  # nobody waits for an answer
            thread.join()
