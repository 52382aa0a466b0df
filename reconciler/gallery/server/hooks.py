"""Receives the calls of vendors for `serve --hooks`. Anybody may call, and whatever is said is never believed.

A call with a token that belongs to an attempt in progress is noted in the shared state, and the process that carries it
out looks at its task once. Any other call is answered with 404. Wrong tokens cost the database one question a
second at most, and no body is read beyond 64 KiB.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from reconciler.clock import Clock
from reconciler.diagnostics import StateError
from reconciler.state import hooks
from reconciler.state.sql.port import Sql

_FRESH: Final = 1.0
"""Seconds for which the tokens that were read are those of all attempts in progress."""
_MOST: Final = 64 << 10  # bytes
_PATIENCE: Final = 5.0  # seconds for a body


class HookReceiver:
    """The address `url` while it is served. `open` connects to the shared database, in any thread."""

    def __init__(self, open: Callable[[], Sql], url: str, secret: bytes, clock: Clock) -> None:
        self._open, self._url, self._secret, self._clock = open, url, secret, clock
        self._sql: Sql | None = None
        self._tokens: dict[tuple[str, str], int] = {}
        self._read = float("-inf")
        self._turn = asyncio.Lock()

    async def announce(self) -> None:
        """Say for as long as this runs that calls are received. While the database does not answer, nothing is said."""
        try:
            while True:
                with suppress(StateError):
                    await asyncio.to_thread(hooks.register, self._database(), self._url)
                await self._clock.sleep(hooks.LIFE / 4)
        finally:
            with suppress(StateError):
                hooks.withdraw(self._database(), self._url)

    async def receive(self, request: Request) -> Response:
        """Answer a call, and close the line: what is left of a body stays unread."""
        response = await self._answer(request)
        response.headers["Connection"] = "close"
        return response

    async def _answer(self, request: Request) -> Response:
        about = (request.path_params["account"], request.path_params["token"])
        try:
            number = await self._attempt(about)
            if number is None:
                return Response(status_code=404)
            await asyncio.to_thread(hooks.call, self._database(), number)
        except StateError:
            return Response(status_code=503)
        await _pass_over(request)
        return Response(status_code=204)

    async def _attempt(self, about: tuple[str, str]) -> int | None:
        async with self._turn:
            if about not in self._tokens and self._clock.monotonic() - self._read >= _FRESH:
                self._tokens = await asyncio.to_thread(hooks.awaited, self._database(), self._secret)
                self._read = self._clock.monotonic()
        return self._tokens.get(about)

    def _database(self) -> Sql:
        self._sql = self._sql or self._open()
        return self._sql


async def _pass_over(request: Request) -> None:
    """Take a short body off the line, so that its sender gets the answer; of a long one nothing more is read."""
    size = 0
    with suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(_PATIENCE):
            async for chunk in request.stream():
                size += len(chunk)
                if size > _MOST:
                    return
