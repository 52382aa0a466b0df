"""`doctor --online`: what providers say of the time and of the account. Nothing is bought, nothing recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from reconciler.diagnostics import ClipformError
from reconciler.engine.connections.one_off import ProviderAccess
from reconciler.engine.connections.providers import LOCAL
from reconciler.engine.ports import Transport
from reconciler.project.finding import Finding
from reconciler.project.workspace import Workspace
from reconciler.providers.base import PollTrouble
from reconciler.providers.capabilities import Balance
from reconciler.records import Snapshot

_SKEW = 60.0
"""Seconds that two clocks may differ: look-ups and links are judged with more slack than that."""


@runtime_checkable
class Talker(Protocol):
    """A transport that can ask a vendor for more than tasks."""

    async def hello(self) -> float | PollTrouble | None:
        """How many seconds its clock is ahead."""

    async def balance(self) -> Balance | PollTrouble | None:
        """What is left on the account."""


def on_record(workspace: Workspace) -> Snapshot:
    """What is on record, nothing where that cannot be read: `doctor` says so itself."""
    try:
        return workspace.snapshot(False)
    except ClipformError:
        return Snapshot()


def checkup(remote: ProviderAccess) -> Iterator[Finding]:
    """A finding or two for each provider over a network; of one whose address is new, that it was not asked."""
    for alias, config in remote.loaded.project.providers.items():
        if config.kind == LOCAL:
            continue
        try:
            skew, balance = remote.ask(alias, _ask)
        except ClipformError as error:
            yield Finding(f"provider {alias}", False, error.message, error.help)
            continue
        yield _time(alias, skew)
        if balance is not None:
            yield _account(alias, balance)


async def _ask(transport: Transport) -> tuple[float | PollTrouble | None, Balance | PollTrouble | None]:
    if not isinstance(transport, Talker):
        return None, None
    return await transport.hello(), await transport.balance()


def _time(alias: str, skew: float | PollTrouble | None) -> Finding:
    name = f"time at {alias}"
    if isinstance(skew, PollTrouble):
        return Finding(name, False, skew.message, "look at the network, the proxy and base_url")
    if skew is None:
        return Finding(name, True, "it answers, and does not tell the time")
    side = "ahead of" if skew > 0 else "behind"
    help = "set this machine's clock: look-ups and links are judged by it"
    return Finding(name, abs(skew) <= _SKEW, f"its clock is {abs(skew):.0f} s {side} ours", help)


def _account(alias: str, balance: Balance | PollTrouble) -> Finding:
    """A hint for a person: no decision rests on it (RELIABILITY F85)."""
    if isinstance(balance, PollTrouble):
        return Finding(f"account at {alias}", False, balance.message, "look at the key and at the vendor's console")
    left = f"{balance.available} {balance.unit}".strip()
    return Finding(f"account at {alias}", True, f"{left} left, as it says")
