"""`doctor --online`: compares clocks with providers and shows balances. Buys and records nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from reconciler.diagnostics import ClipformError, Finding
from reconciler.engine.connections.one_off import ProviderAccess
from reconciler.engine.connections.providers import LOCAL
from reconciler.engine.operations.doctor import unused_providers
from reconciler.engine.ports import Transport
from reconciler.providers.base import PollTrouble
from reconciler.providers.capabilities import Balance

_SKEW = 60.0
"""Seconds that two clocks may differ: look-ups and links are judged with more slack than that."""


@runtime_checkable
class Inspectable(Protocol):
    """A transport that can ask a provider for its time and for the account's balance."""

    async def hello(self) -> float | PollTrouble | None:
        """Return by how many seconds its clock is ahead; None where it sends no time."""

    async def balance(self) -> Balance | PollTrouble | None:
        """Return the balance of the account; None where the provider has no such request."""


def checkup(access: ProviderAccess, *, every: bool = False) -> Iterator[Finding]:
    """Yield findings for each provider over a network that a clip uses, or for all of them."""
    project = access.loaded.project
    unused = set() if every else unused_providers(project)
    for alias, config in project.providers.items():
        if config.kind == LOCAL or alias in unused:
            continue
        try:
            skew, balance = access.ask(alias, _ask)
        except ClipformError as error:
            yield Finding(f"provider {alias}", False, error.message, error.help)
            continue
        yield _time(alias, skew)
        if balance is not None:
            yield _account(alias, balance)


async def _ask(transport: Transport) -> tuple[float | PollTrouble | None, Balance | PollTrouble | None]:
    if not isinstance(transport, Inspectable):
        return None, None
    return await transport.hello(), await transport.balance()


def _time(alias: str, skew: float | PollTrouble | None) -> Finding:
    name = f"time at {alias}"
    if isinstance(skew, PollTrouble):
        return Finding(name, False, skew.message, "check the network, the proxy and base_url")
    if skew is None:
        return Finding(name, True, "reachable; it sends no Date header")
    side = "ahead of" if skew > 0 else "behind"
    help = "set this machine's clock: look-ups and links depend on it"
    return Finding(name, abs(skew) <= _SKEW, f"its clock is {abs(skew):.0f} s {side} this machine's", help)


def _account(alias: str, balance: Balance | PollTrouble) -> Finding:
    """Show the balance to the user; nothing is decided from it (never-pay-twice#f85)."""
    if isinstance(balance, PollTrouble):
        return Finding(f"account at {alias}", False, balance.message, "check the key, and the provider's console")
    balance_text = f"{balance.available} {balance.unit}".strip()
    return Finding(f"account at {alias}", True, f"{balance_text} left, as the provider reports")
