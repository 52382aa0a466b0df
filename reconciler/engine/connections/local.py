"""Makes the draft renderer a transport, as a provider over HTTP is one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from reconciler.artifacts.store import ByteSink
from reconciler.engine.ports import Send
from reconciler.providers.base import Dialect, Job, PollAnswer, Reply, Request


class Renderer(Protocol):
    """Renders scenes: `DraftRenderer` on this machine, `DraftFarm` by workers."""

    async def submit(self, request: Request) -> Reply:
        """Start to render a scene."""

    async def ask(self, request: Request) -> Reply:
        """Return the status of a render."""

    async def fetch(self, url: str, part: ByteSink) -> tuple[int, str]:
        """Copy a finished file; return its size in bytes and its SHA-256 in hex."""


class LocalTransport:
    """Passes requests to the renderer. Its owner closes the renderer, which others use too."""

    def __init__(self, dialect: Dialect, renderer: Renderer) -> None:
        self._dialect, self._renderer = dialect, renderer
        self.account, self.submit_silence, self.paused = "", 0.0, 0.0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Send]:
        """Give a slot at once: the scheduler already limits the renders under way."""
        yield self._renderer.submit

    async def poll(self, task: str, job: Job | None) -> PollAnswer:
        """Return the state of a render."""
        return self._dialect.read_poll(task, await self._renderer.ask(self._dialect.poll(task, job)))

    async def cancel(self, task: str) -> None:
        """Do nothing: a render is free, and an interrupt ends it."""

    async def tasks(self) -> None:
        """Return None: renders are not listed, they end with their process."""

    async def fetch(self, url: str, part: ByteSink) -> tuple[int, str]:
        """Copy a finished render."""
        return await self._renderer.fetch(url, part)

    def redact(self, text: str) -> str:
        """Return the text unchanged: there are no secrets."""
        return text

    async def aclose(self) -> None:
        """Do nothing: the renderer belongs to its owner."""
