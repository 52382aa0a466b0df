"""Connects to one provider for one command: opened, used and closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeVar

from reconciler.diagnostics import Diagnostic, ProviderError
from reconciler.engine.connections.providers import LOCAL, Connect, paced, reach
from reconciler.engine.ports import Transport
from reconciler.next_command import command
from reconciler.project import endpoints
from reconciler.project.endpoints import Site
from reconciler.project.model import Loaded
from reconciler.records import Attempt, Snapshot

T = TypeVar("T")


Agree = Callable[[Diagnostic], None]
"""Asks whether a key may go to an address that no plan has shown; raises ClipformError when it may not."""


def refuse(warning: Diagnostic) -> None:
    """Refuse where nobody can be asked. Raises ProviderError."""
    help = (
        f"if you trust that address, run: {command('apply')} (its plan shows the address, and confirming it trusts it)"
    )
    raise ProviderError(f"not asked: {warning.message}", help=help, code=warning.code)


@dataclass(frozen=True, slots=True)
class ProviderAccess:
    """Connections to the providers of a project, for a command that shows no plan.

    An address that is neither the kind's own nor in the `snapshot` gets a key only where the user has agreed.
    """

    loaded: Loaded
    connect: Connect
    snapshot: Snapshot = field(default_factory=Snapshot)
    agree: Agree = refuse
    agreed: set[str] = field(default_factory=set)  # aliases

    def ask(self, alias: str, use: Callable[[Transport], Awaitable[T]]) -> T:
        """Connect to a provider, return what `use` gives, disconnect. Raises ProviderError for an undeclared alias."""
        config = self.loaded.project.providers.get(alias)
        if config is None or config.kind == LOCAL:
            raise ProviderError(f"provider {alias} is not declared", help="declare it again to reach its tasks")
        dialect = self.loaded.dialects[alias]
        self._require_agreed(alias)
        return self._with(lambda: self.connect(config, dialect, paced(dialect.pace, config)), use)

    def ask_about(self, attempt: Attempt, account: str, use: Callable[[Transport], Awaitable[T]]) -> T:
        """As `ask`, at the site of an attempt, whatever its alias points to now. `account` is of `Store.account`."""
        site = Site.of(attempt, account)
        if not site.endpoint and site.kind != LOCAL and self.loaded.has(site):
            self._require_agreed(site.alias)  # the attempt does not say where it was sent
        return self._with(lambda: reach(self.loaded, self.connect, attempt, site).transport, use)

    def _require_agreed(self, alias: str) -> None:
        config, dialect = self.loaded.project.providers[alias], self.loaded.dialects[alias]
        warning = endpoints.new_address(config, dialect, self.snapshot)
        if warning is not None and alias not in self.agreed:
            self.agree(warning)
            self.agreed.add(alias)

    def _with(self, connect: Callable[[], Transport], use: Callable[[Transport], Awaitable[T]]) -> T:
        async def connected() -> T:
            async with aclosing(connect()) as transport:
                return await use(transport)

        return asyncio.run(connected())
