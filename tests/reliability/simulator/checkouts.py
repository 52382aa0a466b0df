"""Several checkouts of one project, each with its own state, at one account of the vendor; and a process that stops."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.reliability.simulator.vendor import Server

CHECKOUT = ("root", "consents", "deleted", "unmerged", "foreign")
"""What the judge must know of one checkout: attributes of `Sim`."""
Checkout = dict[str, Any]


class Purchases(Server):
    """The part of the vendor's ledger that the present buyer bought, for the judge."""

    def __init__(self, server: Server) -> None:
        vars(self).update(vars(server))
        self.ledger = {ident: task for ident, task in server.ledger.items() if task.buyer == server.buyer}


@contextmanager
def stopped() -> Iterator[None]:
    """The running process stands still, in the midst of its event loop: others may begin one of their own."""
    running = asyncio.events._get_running_loop()
    asyncio.events._set_running_loop(None)
    try:
        yield
    finally:
        asyncio.events._set_running_loop(running)
