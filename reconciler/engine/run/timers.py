"""What goes on beside a run: its end after a time, and the hold on what it carries out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from reconciler.diagnostics import StateError
from reconciler.engine.run.executor import Executor
from reconciler.engine.run.session import Session
from reconciler.state.store import LEASE


@asynccontextmanager
async def timed(executor: Executor, seconds: float | None) -> AsyncIterator[None]:
    """Interrupt the run after so many seconds, if they are given."""

    async def end() -> None:
        await executor.ports.clock.sleep(seconds or 0.0)
        executor.control.late = not executor.control.event.is_set()
        executor.control.event.set()

    timer = None if seconds is None else asyncio.ensure_future(end())
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()


@asynccontextmanager
async def renewed(session: Session) -> AsyncIterator[None]:
    """Go on holding what this process holds, while it lives: a process that is frozen loses it."""

    async def renew() -> None:
        while True:
            await session.clock.sleep(LEASE / 4)
            with suppress(StateError):  # the next purchase says that it cannot be reached
                session.store.renew()

    renewing = asyncio.ensure_future(renew()) if session.store.is_shared else None
    try:
        yield
    finally:
        if renewing is not None:
            renewing.cancel()
