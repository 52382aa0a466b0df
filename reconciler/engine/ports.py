"""The protocols through which the engine acts. Each has a real implementation and a complete one in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol, TypeVar

from reconciler.artifacts.store import ByteSink
from reconciler.events import Event
from reconciler.frozen import dataclass
from reconciler.project.endpoints import Site
from reconciler.providers import base
from reconciler.providers.capabilities import CancelRefused, TaskList

T = TypeVar("T")


Send = Callable[[base.Request], Awaitable[base.Reply | base.NotSent | base.Unknown]]
"""Sends a submit once, on a fresh connection, without retries or redirects; never raises."""


class Transport(Protocol):
    """Carries a dialect's requests. Errors are values: a submit that may have gone out is never an exception.

    `account` tells one account from another and is not secret; `submit_silence` is for how many seconds a submit may
    be silent.
    """

    account: str
    submit_silence: float

    @property
    def paused(self) -> float:
        """The seconds that remain of a pause that the provider asked for."""

    def slot(self) -> AbstractAsyncContextManager[Send]:
        """Wait for a slot, then give what sends one submit. Raises ProviderError with nothing sent."""

    async def poll(self, task: str, job: base.Job | None) -> base.PollAnswer:
        """Return the state of a task. Retries are bounded, and polls may share a request."""

    async def cancel(self, task: str) -> base.Cancelled | CancelRefused | base.NotFound | base.PollTrouble | None:
        """Cancel a task, after a fresh poll that says queued; None where the provider cannot."""

    async def tasks(self) -> TaskList | base.PollTrouble | None:
        """Return every task that the provider lists; None where it has no list."""

    async def fetch(self, url: str, part: ByteSink) -> tuple[int, str]:
        """Download into a part; returns size in bytes and SHA-256 hex. Raises ProviderError or MediaError."""

    def redact(self, text: str) -> str:
        """Return text of the provider without its secrets and without what looks like one."""

    async def aclose(self) -> None:
        """Close every connection."""


class Workers(Protocol):
    """Runs a function of `media` in a process bounded in time and memory: reading media must not block the loop."""

    async def run(self, function: Callable[..., T], *args: str | int | Path) -> T:
        """Return the function's result. Raises its MediaError."""


class Sink(Protocol):
    """Where events go. Never raises: an output that fails must not reach the engine."""

    def emit(self, event: Event) -> None:
        """Show or record an event."""

    def close(self) -> None:
        """Restore the terminal: the process may end right after."""


@dataclass(frozen=True, slots=True)
class ConnectedProvider:
    """A provider, its dialect and its transport. `durable`: False if its tasks end with this process (draft).
    `endpoint`: the base URL behind the transport, empty where there is none."""

    alias: str
    kind: str
    dialect: base.Dialect
    transport: Transport
    pace: base.Pace
    durable: bool = True
    endpoint: str = ""

    @property
    def site(self) -> Site:
        """Return where its attempts are sent."""
        return Site(self.alias, self.kind, self.endpoint, self.transport.account)
