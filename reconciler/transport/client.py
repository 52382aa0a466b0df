"""`HttpTransport`: one provider over HTTP, as the engine's `Transport` port and the vendor's other abilities."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar

from reconciler.artifacts.store import ByteSink
from reconciler.diagnostics import ProviderError
from reconciler.providers.base import (
    Cancelled,
    Failed,
    Job,
    NoOutput,
    NotFound,
    NotSent,
    Pace,
    PollAnswer,
    PollTrouble,
    Reply,
    Request,
    Unknown,
    Working,
)
from reconciler.providers.capabilities import (
    Balance,
    Balances,
    CancelRefused,
    Cancels,
    Hosted,
    Listed,
    Lists,
    SpokenOverHttp,
    TaskList,
    Uploads,
)
from reconciler.transport import uploads
from reconciler.transport.account import Account
from reconciler.transport.channel import Channel, Waits
from reconciler.transport.fetch import Media
from reconciler.transport.pacing import ConcurrencyRamp, RetryBudget
from reconciler.transport.poll_batcher import PollBatcher
from reconciler.transport.ports import Environment

PAGES = 200
"""Pages of a list that are read at most."""

A = TypeVar("A")
Send = Callable[[Request], Awaitable[Reply | NotSent | Unknown]]


class HttpTransport:
    """One provider. `ramp` and `budget` are its limits on submits and on retries."""

    def __init__(
        self, dialect: SpokenOverHttp, account: Account, pace: Pace, world: Environment, waits: Waits | None = None
    ) -> None:
        waits = waits or Waits()
        self.dialect, self._clock = dialect, world.clock
        self.account, self.patience = account.fingerprint, waits.submit.idle
        self._channel = Channel(dialect, account, pace, world, waits)
        self._media = Media(account.base_url, world, self._channel.redactor, waits.media)
        self._board = PollBatcher(dialect, self.ask, self._poll, world.clock) if isinstance(dialect, Lists) else None

    def __repr__(self) -> str:
        return f"HttpTransport({self.dialect.kind})"

    @property
    def ramp(self) -> ConcurrencyRamp:
        """How many submits may be under way just now."""
        return self._channel.ramp

    @property
    def budget(self) -> RetryBudget:
        """What retries may still cost; whoever makes a new attempt after `NotSent` spends from it too."""
        return self._channel.budget

    # --- the engine's port ------------------------------------------------------------------

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Send]:
        """A place for one submit. All waiting (a place on the ramp, the pace, a pause, a token) is done before it is
        given, so that nothing comes between the durable intent and the request. Raises ProviderError, when nothing
        was sent: `paused` (says until when), `credentials` (stop submitting), `token` (may pass)."""
        async with self._channel.ramp.place():
            await self._channel.prepare()
            yield self._channel.submit

    async def ask(self, request: Request) -> Reply | PollTrouble:
        """Send a request that may be repeated, and is within the budget. `PollTrouble.retry_after` is how long the
        provider wants to be left alone: asking earlier is answered from here, without a request."""
        return await self._channel.ask(request)

    async def fetch(self, url: str, part: ByteSink) -> tuple[int, str]:
        """Download into an empty part; its size and SHA-256. Raises ProviderError: `link-dead` asks for a new link,
        `link-refused` is not followed, `too-large` and `too-slow` broke a bound, `download` may work another time."""
        return await self._media.fetch(url, part)

    async def aclose(self) -> None:
        """Let go of everything."""
        if self._board is not None:
            await self._board.aclose()
        await self._channel.aclose()

    def redact(self, text: str) -> str:
        """Text without this provider's secrets: for messages that are made of its answers elsewhere."""
        return self._channel.redactor.text(text)

    # --- what the vendor can do -------------------------------------------------------------

    async def look(self, task: str, job: Job | None = None) -> PollAnswer:
        """How a task stands. Where the vendor has lists, callers who ask at about the same time share one request."""
        answer = await (self._board.look(task) if self._board else self._poll(task, job))
        return self._without_secrets(answer)

    def _without_secrets(self, answer: A) -> A:
        """An answer whose words are fit for messages: a vendor may quote a signed link in an error."""
        match answer:
            case Failed():
                return replace(answer, message=self.redact(answer.message), code=self.redact(answer.code))
            case PollTrouble() | NoOutput() | NotFound() | Cancelled() | CancelRefused():
                return replace(answer, message=self.redact(answer.message))
            case Working(warning=warning) if warning:
                return replace(answer, warning=self.redact(warning))
        return answer

    async def _poll(self, task: str, job: Job | None = None) -> PollAnswer:
        reply = await self.ask(self.dialect.poll(task, job))
        return reply if isinstance(reply, PollTrouble) else self.dialect.read_poll(task, reply)

    async def upload(self, path: Path, sha256: str, content_type: str) -> Hosted:
        """Have the vendor host a local file. Raises ProviderError, also when it hosts none (`no-uploads`)."""
        if not isinstance(self.dialect, Uploads):
            raise ProviderError(f"kind {self.dialect.kind} hosts no files", code="no-uploads")
        file = uploads.File.read(path, sha256, content_type, self.dialect.upload_max_bytes)
        return await uploads.upload(self.dialect, self._channel, self._media, self._clock, file)

    async def hello(self) -> float | PollTrouble | None:
        """How many seconds the vendor's clock is ahead of ours, by its front door and without credentials; None where
        it does not tell the time."""
        reply = await self._channel.anonymous(Request("GET", "/"))
        return reply if isinstance(reply, PollTrouble) else self._skew(reply)

    async def balance(self) -> Balance | PollTrouble | None:
        """What is left on the account; None where the vendor does not tell."""
        if not isinstance(self.dialect, Balances):
            return None
        reply = await self.ask(self.dialect.balance())
        return reply if isinstance(reply, PollTrouble) else self._without_secrets(self.dialect.read_balance(reply))

    async def tasks(self) -> TaskList | PollTrouble | None:
        """Every task that the vendor lists, each once; None where it has no list. Trouble on any page is trouble: what
        an incomplete reading does not show proves nothing."""
        if not isinstance(self.dialect, Lists):
            return None
        found: dict[str, Listed] = {}
        counted, skew = 0, None
        for number in range(1, PAGES + 1):
            reply = await self.ask(self.dialect.list_tasks(page=number))
            if isinstance(reply, PollTrouble):
                return reply
            page = self.dialect.read_list(reply)
            if isinstance(page, PollTrouble):
                return self._without_secrets(page)
            if number == 1:
                counted, skew = page.total or 0, self._skew(reply)
            found.update((listed.task, listed) for listed in page.tasks)
            if not page.tasks or (page.total is not None and number * self.dialect.list_size >= page.total):
                return TaskList(tuple(found.values()), len(found) >= counted, skew)
        return PollTrouble(f"the list has more than {PAGES} pages")

    def _skew(self, reply: Reply) -> float | None:
        """How far the vendor's clock is ahead, by the date of its answer."""
        try:
            return parsedate_to_datetime(reply.headers.get("date", "")).timestamp() - self._clock.now()
        except (ValueError, OverflowError):
            return None

    async def cancel(self, task: str) -> Cancelled | CancelRefused | NotFound | PollTrouble | None:
        """Drop a task that is queued; None where the vendor cannot. Sent once, right behind a poll that says queued:
        on a finished task the same request may delete the result."""
        if not isinstance(self.dialect, Cancels):
            return None
        match await self._poll(task):
            case Working(queued=True):
                reply = await self._channel.hurry(self.dialect.cancel(task))
                answer = reply if isinstance(reply, PollTrouble) else self.dialect.read_cancel(reply)
                return self._without_secrets(answer)
            case (Cancelled() | NotFound() | PollTrouble()) as ended:
                return self._without_secrets(ended)
        return CancelRefused("it is no longer queued")
