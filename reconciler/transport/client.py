"""`HttpTransport`: one provider over HTTP, as the engine's `Transport` port plus optional capabilities."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar

from reconciler.artifacts.store import ByteSink
from reconciler.clock import Clock
from reconciler.diagnostics import ProviderError
from reconciler.providers import base, capabilities
from reconciler.providers.capabilities import CancelRefused
from reconciler.spec.project import ProviderConfig
from reconciler.transport import uploads
from reconciler.transport.account import Account, environment_proxy, open_account
from reconciler.transport.channel import Channel, Waits
from reconciler.transport.fetch import MediaClient
from reconciler.transport.pacing import Spacing
from reconciler.transport.poll_batcher import PollBatcher
from reconciler.transport.ports import Environment
from reconciler.transport.tokens import cache_folder

PAGES = 200
"""Pages of a list that are read at most."""

A = TypeVar("A")
Send = Callable[[base.Request], Awaitable[base.Reply | base.NotSent | base.Unknown]]


def connect(
    config: ProviderConfig, dialect: base.Dialect, pace: base.Pace, clock: Clock, env: Mapping[str, str]
) -> HttpTransport:
    """Return the transport of a project's provider; its secrets are read from `env` here. Raises ProviderError for one
    that is not spoken to over HTTP, and for a missing secret."""
    if not isinstance(dialect, capabilities.SpokenOverHttp):
        raise ProviderError(f"provider {config.alias}: kind {config.kind} does not use HTTP")
    environment = Environment(clock, proxy=environment_proxy, cache=cache_folder(env))
    return HttpTransport(dialect, open_account(config, dialect, env), pace, environment)


class HttpTransport:
    """One provider. `ramp` and `retry_budget` are its limits on submits and on retries."""

    def __init__(
        self,
        dialect: capabilities.SpokenOverHttp,
        account: Account,
        pace: base.Pace,
        environment: Environment,
        waits: Waits | None = None,
    ) -> None:
        waits = waits or Waits()
        self.dialect, self._clock = dialect, environment.clock
        self.account, self.submit_silence = account.fingerprint, waits.submit.idle
        self._channel = Channel(dialect, account, pace, environment, waits)
        self.ramp, self.retry_budget = self._channel.ramp, self._channel.retry_budget
        self._media = MediaClient(account.base_url, environment, self._channel.redactor, waits.media)
        self._batcher: PollBatcher | None = None
        restricted = dialect if isinstance(dialect, capabilities.RestrictedList) else None
        self._lists = Spacing(environment.clock, restricted.lists_per_second if restricted else 0.0)
        self._filters = restricted.list_filters if restricted else ((),)
        if isinstance(dialect, capabilities.Lists) and not isinstance(dialect, capabilities.PollsInSteps):
            self._batcher = PollBatcher(dialect, self._ask_list, self._poll, environment.clock)

    def __repr__(self) -> str:
        return f"HttpTransport({self.dialect.kind})"

    # --- the engine's port ------------------------------------------------------------------

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Send]:
        """Hold a slot for one submit. All waiting (a slot of the ramp, the rate, a pause, a token) happens before the
        block, so that nothing comes between the durable intent and the request. Raises ProviderError when nothing was
        sent: `paused` (says until when), `credentials` (stop submitting), `token` (may pass)."""
        async with self.ramp.slot():
            await self._channel.prepare()
            yield self._channel.submit

    async def ask(self, request: base.Request) -> base.Reply | base.PollTrouble:
        """Send a request that may be repeated within the retry budget. `PollTrouble.retry_after` is how long the
        provider wants no requests: an earlier one is answered locally."""
        return await self._channel.ask(request)

    @property
    def paused(self) -> float:
        """The seconds that remain of a pause that the provider asked for."""
        return self._channel.limiter.paused

    async def fetch(self, url: str, part: ByteSink) -> tuple[int, str]:
        """Download into an empty part; return its size and SHA-256. Raises ProviderError: `link-dead` needs a new link,
        `link-refused` is not followed, `too-large` and `too-slow` exceed a limit, `download` may succeed later."""
        return await self._media.fetch(url, part)

    async def aclose(self) -> None:
        """Cancel batched polls and close all connections."""
        if self._batcher is not None:
            await self._batcher.aclose()
        await self._channel.aclose()

    def redact(self, text: str) -> str:
        """Return text without this provider's secrets: for messages that quote its answers."""
        return self._channel.redactor.text(text)

    # --- optional capabilities -------------------------------------------------------------

    async def poll(self, task: str, job: base.Job | None = None) -> base.PollAnswer:
        """Return the status of a task. With a provider that lists tasks, concurrent callers share one request."""
        answer = await (self._batcher.poll(task) if self._batcher else self._poll(task, job))
        return self._without_secrets(answer)

    def _without_secrets(self, answer: A) -> A:
        """Return an answer with its messages redacted: a vendor may quote a signed link in an error."""
        match answer:
            case base.Failed():
                return replace(answer, message=self.redact(answer.message), code=self.redact(answer.code))
            case base.PollTrouble() | base.NoOutput() | base.NotFound() | base.Cancelled() | CancelRefused():
                return replace(answer, message=self.redact(answer.message))
            case base.Working(warning=warning) if warning:
                return replace(answer, warning=self.redact(warning))
        return answer

    async def _poll(self, task: str, job: base.Job | None = None) -> base.PollAnswer:
        step: base.PollAnswer | base.Request = self.dialect.poll(task, job)
        in_steps = self.dialect if isinstance(self.dialect, capabilities.PollsInSteps) else None
        while isinstance(step, base.Request):
            reply = await self.ask(step)
            if isinstance(reply, base.PollTrouble):
                return reply
            try:
                step = in_steps.read_step(task, step, reply) if in_steps else self.dialect.read_poll(task, reply)
            except Exception as error:  # noqa: BLE001  # a dialect of another package: its tasks are polled on
                words = f"{type(error).__name__}: {error}"
                return base.PollTrouble(f"kind {self.dialect.kind} cannot read the reply ({words})")
        return step

    async def upload(self, path: Path, sha256: str, content_type: str) -> capabilities.Hosted:
        """Have the provider host a local file. Raises ProviderError, code `no-uploads` if it cannot."""
        if not isinstance(self.dialect, capabilities.Uploads):
            raise ProviderError(f"kind {self.dialect.kind} hosts no files", code="no-uploads")
        file = uploads.UploadFile.read(path, sha256, content_type, self.dialect.upload_max_bytes)
        return await uploads.upload(self.dialect, self._channel, self._media, self._clock, file)

    async def hello(self) -> float | base.PollTrouble | None:
        """Return how many seconds the provider's clock is ahead of ours, without credentials; None without a date."""
        reply = await self._channel.anonymous(base.Request("GET", "/"))
        if isinstance(reply, base.PollTrouble):
            return reply
        return None if (date := _date(reply)) is None else date - self._clock.now()

    async def balance(self) -> capabilities.Balance | base.PollTrouble | None:
        """Return the account's balance; None if the provider does not report it."""
        if not isinstance(self.dialect, capabilities.Balances):
            return None
        reply = await self.ask(self.dialect.balance())
        return reply if isinstance(reply, base.PollTrouble) else self._without_secrets(self.dialect.read_balance(reply))

    async def tasks(self) -> capabilities.TaskList | base.PollTrouble | None:
        """Return every task that the provider lists, each once; None if it has no list. An error on any page is an
        error of the whole: an incomplete list proves nothing about a task that it does not show."""
        if not isinstance(self.dialect, capabilities.Lists):
            return None
        parts = [await self._part(self.dialect, query) for query in self._filters]
        lists = [part for part in parts if isinstance(part, capabilities.TaskList)]
        if len(lists) < len(parts):
            return next(part for part in parts if isinstance(part, base.PollTrouble))
        tasks = {task.task: task for part in lists for task in part.tasks}
        return capabilities.TaskList(tuple(tasks.values()), all(part.complete for part in lists), lists[0].date)

    async def _part(
        self, dialect: capabilities.Lists, query: tuple[tuple[str, str], ...]
    ) -> capabilities.TaskList | base.PollTrouble:
        """Return every task that the list shows to one filter."""
        tasks: dict[str, capabilities.Listed] = {}
        total, date, more = 0, None, query
        for number in range(1, PAGES + 1):
            request = dialect.list_tasks(page=number)
            reply = await self._ask_list(replace(request, query=(*request.query, *more)))
            if isinstance(reply, base.PollTrouble):
                return reply
            page = dialect.read_list(reply)
            if isinstance(page, base.PollTrouble):
                return self._without_secrets(page)
            if number == 1:
                total, date = page.total or 0, _date(reply)
            tasks.update((listed.task, listed) for listed in page.tasks)
            more = (*query, *(page.more or ()))
            is_last = page.more == () or (page.total is not None and number * dialect.list_size >= page.total)
            if is_last or (not page.tasks and not page.more):
                return capabilities.TaskList(tuple(tasks.values()), len(tasks) >= total, date)
        return base.PollTrouble(f"the list has more than {PAGES} pages")

    async def _ask_list(self, request: base.Request) -> base.Reply | base.PollTrouble:
        """Send a list request, not sooner than the provider's limit for its list allows."""
        async with self._lists.turn():
            return await self.ask(request)

    async def cancel(self, task: str) -> base.Cancelled | CancelRefused | base.NotFound | base.PollTrouble | None:
        """Cancel a queued task; None if the provider cannot. Sent once, right after a poll that reports `queued`: on a
        finished task the same request may delete the result."""
        if not isinstance(self.dialect, capabilities.Cancels):
            return None
        match await self._poll(task):
            case base.Working(queued=True):
                reply = await self._channel.send_once(self.dialect.cancel(task))
                answer = reply if isinstance(reply, base.PollTrouble) else self.dialect.read_cancel(reply)
                return self._without_secrets(answer)
            case (base.Cancelled() | base.NotFound() | base.PollTrouble()) as ended:
                return self._without_secrets(ended)
        return CancelRefused("it is no longer queued")


def _date(reply: base.Reply) -> float | None:
    """Return the time of an answer's Date header, in Unix seconds."""
    try:
        return parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
    except (ValueError, OverflowError):
        return None
