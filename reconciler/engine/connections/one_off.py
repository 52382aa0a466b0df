"""One provider connection for one command, opened, used and closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from reconciler.diagnostics import Diagnostic, ProviderError
from reconciler.engine.connections.providers import LOCAL, Connect, is_here, paced, reach
from reconciler.engine.ports import Transport
from reconciler.project import endpoints
from reconciler.project.model import Loaded
from reconciler.records import Attempt, Snapshot

T = TypeVar("T")


Agree = Callable[[Diagnostic], None]
"""Asks whether a key may go to an address that no plan has shown; raises ClipformError when it may not."""


def refuse(warning: Diagnostic) -> None:
    """Where there is nobody to ask. Raises ProviderError."""
    help = "if you know who that is: clipform apply shows it in its plan, and from then on it is known"
    raise ProviderError(f"not asked: {warning.message}", help=help, code=warning.code)


@dataclass(frozen=True, slots=True)
class ProviderAccess:
    """How to reach the providers of a project. No plan was shown here, so an address that is neither the kind's own nor
    in the `snapshot` gets a key only where the user has agreed."""

    loaded: Loaded
    connect: Connect
    snapshot: Snapshot = field(default_factory=Snapshot)
    agree: Agree = refuse
    agreed: set[str] = field(default_factory=set)  # aliases

    def ask(self, alias: str, what: Callable[[Transport], Awaitable[T]]) -> T:
        """Do one thing with a provider and let go of it. Raises ProviderError for one that is not declared any more."""
        config = self.loaded.project.providers.get(alias)
        if config is None or config.kind == LOCAL:
            raise ProviderError(f"provider {alias} is not declared", help="declare it again to reach its tasks")
        dialect = self.loaded.dialects[alias]
        self._require_known(alias)
        return self._with(lambda: self.connect(config, dialect, paced(dialect.pace, config)), what)

    def ask_about(self, attempt: Attempt, account: str, what: Callable[[Transport], Awaitable[T]]) -> T:
        """The same where an attempt was made, whatever its provider's alias stands for now."""
        if not attempt.endpoint and attempt.kind != LOCAL and is_here(self.loaded, attempt):
            self._require_known(attempt.provider)  # it does not say where that was
        return self._with(lambda: reach(self.loaded, self.connect, attempt, account).transport, what)

    def _require_known(self, alias: str) -> None:
        warning = endpoints.new_address(
            self.loaded.project.providers[alias], self.loaded.dialects[alias], self.snapshot
        )
        if warning is not None and alias not in self.agreed:
            self.agree(warning)
            self.agreed.add(alias)

    def _with(self, connect: Callable[[], Transport], what: Callable[[Transport], Awaitable[T]]) -> T:
        async def session() -> T:
            transport = connect()
            try:
                return await what(transport)
            finally:
                await transport.aclose()

        return asyncio.run(session())
