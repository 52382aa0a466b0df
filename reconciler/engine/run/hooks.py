"""Webhooks of a run: the address that a vendor calls about a task, and the look that a call causes.

The address is added to the request below identity and look-up: no key, no record and no match has it. A call is never
needed: tasks are polled as ever, only more slowly.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import field, replace
from typing import TYPE_CHECKING

from reconciler.clock import Clock
from reconciler.diagnostics import StateError
from reconciler.engine.control import Halt
from reconciler.engine.ports import ConnectedProvider
from reconciler.engine.run.session import Session
from reconciler.frozen import dataclass
from reconciler.providers.base import Request
from reconciler.providers.capabilities import CallsBack
from reconciler.state import hooks
from reconciler.state.sql.port import Sql

if TYPE_CHECKING:
    from reconciler.engine.run.executor import Executor

SLOWER = 4
"""How many times longer the pauses between polls are while calls are received."""
LOOK = 1.0
"""Seconds between two looks for calls, which is one question for all attempts."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """The address that receives calls, and the secret of its tokens."""

    url: str
    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, session: Session) -> Hooks | None:
        """Return the hooks of a run; None if nobody serves them. Raises UsageError for a secret that is too short."""
        store = session.store
        if not store.is_shared or not (secret := hooks.secret_of(session.workspace.env)):
            return None
        url = hooks.served(store.sql)
        return cls(url, secret) if url else None

    def paced(self, provider: ConnectedProvider) -> ConnectedProvider:
        """Return a provider that is polled more slowly, if it calls back."""
        if not isinstance(provider.dialect, CallsBack):
            return provider
        pace = provider.pace
        slower = {name: SLOWER * getattr(pace, name) for name in ("first_poll", "poll_min", "poll_max")}
        return replace(provider, pace=replace(pace, **slower))

    def added(self, provider: ConnectedProvider, request: Request, marker: str) -> Request:
        """Return a submit with the address to call; one that the clip's options name stays."""
        dialect, body = provider.dialect, request.body
        if not isinstance(dialect, CallsBack) or not isinstance(body, dict) or dialect.callback_field in body:
            return request
        address = f"{self.url}/hook/{provider.transport.account}/{hooks.token(self.secret, marker)}"
        return replace(request, body={**body, dialect.callback_field: address})


async def listen(sql: Sql, waiting: dict[int, Halt], clock: Clock) -> None:
    """End the wait for the next poll of each attempt whose vendor calls, until this is cancelled."""
    seen: dict[int, float] = {}
    while True:
        await clock.sleep(LOOK)
        with suppress(StateError):  # the tasks are polled
            for number, time in (await asyncio.to_thread(hooks.calls, sql, [*waiting])).items():
                if seen.get(number) != time and number in waiting:
                    seen[number] = time
                    waiting[number].set()


@asynccontextmanager
async def called_back(session: Session, executor: Executor) -> AsyncIterator[None]:
    """Run the block with vendors that call, where somebody receives their calls."""
    received = Hooks.of(session)
    if received is None:
        yield
        return
    by_alias = executor.providers.by_alias
    executor.providers.by_alias = {alias: received.paced(provider) for alias, provider in by_alias.items()}
    executor.ports = replace(executor.ports, addressed=received.added)
    executor.control.calls = defaultdict(Halt)
    listening = asyncio.ensure_future(listen(session.store.sql, executor.control.calls, session.clock))
    try:
        yield
    finally:
        listening.cancel()
