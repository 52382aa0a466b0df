"""Connects to one provider for one command: opened, used and closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from reconciler.diagnostics import ProviderError
from reconciler.engine.connections.providers import LOCAL, Connect, reach
from reconciler.engine.ports import Transport
from reconciler.frozen import dataclass
from reconciler.project.endpoints import Site
from reconciler.project.model import Loaded
from reconciler.project.pace import paced
from reconciler.records import Attempt

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ProviderAccess:
    """Connections to the providers of a project, for a command that shows no plan."""

    loaded: Loaded
    connect: Connect

    def ask(self, alias: str, use: Callable[[Transport], Awaitable[T]]) -> T:
        """Connect to a provider, return what `use` gives, disconnect. Raises ProviderError for an undeclared alias."""
        config = self.loaded.project.providers.get(alias)
        if config is None or config.kind == LOCAL:
            raise ProviderError(f"provider {alias} is not declared", help="declare it again to reach its tasks")
        dialect = self.loaded.dialects[alias]
        return self._with(lambda: self.connect(config, dialect, paced(dialect.pace, config)), use)

    def ask_about(self, attempt: Attempt, account: str, use: Callable[[Transport], Awaitable[T]]) -> T:
        """As `ask`, at the site of an attempt, whatever its alias points to now. `account` is of `Store.account`."""
        site = Site.of(attempt, account)
        return self._with(lambda: reach(self.loaded, self.connect, attempt, site).transport, use)

    def _with(self, connect: Callable[[], Transport], use: Callable[[Transport], Awaitable[T]]) -> T:
        async def connected() -> T:
            async with aclosing(connect()) as transport:
                return await use(transport)

        return asyncio.run(connected())
