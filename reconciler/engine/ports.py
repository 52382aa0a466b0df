"""The small doors through which the engine acts. Each has a real implementation and a complete one in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from reconciler.artifacts.store import ByteSink
from reconciler.events import Event
from reconciler.providers.base import (
    Cancelled,
    Dialect,
    Job,
    NotFound,
    NotSent,
    Pace,
    PollAnswer,
    PollTrouble,
    Reply,
    Request,
    Unknown,
)
from reconciler.providers.capabilities import CancelRefused, TaskList

T = TypeVar("T")


Send = Callable[[Request], Awaitable[Reply | NotSent | Unknown]]
"""Sends a submit once, on a fresh connection, without retries or redirects; never raises."""


class Transport(Protocol):
    """Carries a dialect's requests. Errors are values: a submit that may have gone out is never an exception.

    `account` tells one account from another and is no secret; `patience` is how many seconds a submit may be silent.
    """

    account: str
    patience: float

    def slot(self) -> AbstractAsyncContextManager[Send]:
        """A place for one submit; all waiting is done before it is given. Raises ProviderError with nothing sent."""

    async def look(self, task: str, job: Job | None) -> PollAnswer:
        """How a task stands; bounded retries and shared requests are its own affair."""

    async def cancel(self, task: str) -> Cancelled | CancelRefused | NotFound | PollTrouble | None:
        """Drop a task, after a fresh look that says queued; None where the vendor cannot."""

    async def tasks(self) -> TaskList | PollTrouble | None:
        """Every task that the vendor lists; None where it has no list."""

    async def fetch(self, url: str, part: ByteSink) -> tuple[int, str]:
        """Download into a part; returns size in bytes and SHA-256 hex. Raises ProviderError or MediaError."""

    def redact(self, text: str) -> str:
        """Text of the provider's without its secrets and without what looks like one."""

    async def aclose(self) -> None:
        """Let go of everything."""


class Workers(Protocol):
    """Runs a function of `media` elsewhere, bounded in time and memory: reading media must not stop the loop."""

    async def run(self, function: Callable[..., T], *args: str | int | Path) -> T:
        """The function's result; its MediaError passes through."""


class Sink(Protocol):
    """Where events go. Never raises: an output that fails must not reach the engine."""

    def emit(self, event: Event) -> None:
        """Take note of an event."""

    def close(self) -> None:
        """Put the terminal back as it was: the process may end right after."""


@dataclass(frozen=True, slots=True)
class ConnectedProvider:
    """A provider as the engine meets it. `durable` is False for kinds whose tasks die with this process (draft);
    `endpoint` is the base URL behind the transport, empty where there is none."""

    alias: str
    kind: str
    dialect: Dialect
    transport: Transport
    pace: Pace
    durable: bool = True
    endpoint: str = ""
