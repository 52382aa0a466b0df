"""The local vendor as a transport: the draft renderer behind the same port as a provider over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from reconciler.artifacts.store import ByteSink
from reconciler.engine.ports import Send
from reconciler.media.draft_renderer import DraftRenderer
from reconciler.providers.base import Dialect, Job, PollAnswer


class LocalTransport:
    """Hands requests to the farm. Closing it is the farm's owner's affair: others use the farm too."""

    def __init__(self, dialect: Dialect, farm: DraftRenderer) -> None:
        self._dialect, self._farm = dialect, farm
        self.account, self.patience = "", 0.0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Send]:
        """There is always a place: the run's own limit keeps the workers from being swamped."""
        yield self._farm.submit

    async def look(self, task: str, job: Job | None) -> PollAnswer:
        """How a render stands."""
        return self._dialect.read_poll(task, await self._farm.ask(self._dialect.poll(task, job)))

    async def cancel(self, task: str) -> None:
        """A render is not cancelled by command: it is free, and an interrupt ends it."""

    async def tasks(self) -> None:
        """Nobody keeps a list: a render dies with its process."""

    async def fetch(self, url: str, part: ByteSink) -> tuple[int, str]:
        """Copy a finished render."""
        return await self._farm.fetch(url, part)

    def redact(self, text: str) -> str:
        """Nothing here is a secret."""
        return text

    async def aclose(self) -> None:
        """Nothing of its own to let go of."""
