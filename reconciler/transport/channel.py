"""The API side of one provider: sends requests with credentials, paced and repeated within limits.

A submit is sent once, on a fresh connection; its failure is classified by whether the request had begun to leave. All
other requests may be repeated, within the retry budget. Credentials are headers of requests to the base URL's origin,
or to the other host that the dialect itself names, and appear nowhere else; no redirect is followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import field, replace
from urllib.parse import quote, urlencode

from reconciler.diagnostics import ProviderError
from reconciler.frozen import dataclass
from reconciler.providers import base
from reconciler.providers.capabilities import SpokenOverHttp, Tokens
from reconciler.providers.replies import retry_after
from reconciler.transport import replies
from reconciler.transport.account import Account
from reconciler.transport.exchange import Connections, ExchangeFailed, OutgoingRequest, Timeouts, read
from reconciler.transport.fetch import Bounds
from reconciler.transport.pacing import LONGEST, ConcurrencyRamp, Paused, Rank, RateLimiter, RetryBudget, backoff
from reconciler.transport.ports import Environment
from reconciler.transport.redact import Redactor
from reconciler.transport.tokens import TokenKeeper

TRIES = 3
"""Attempts of a request that may be repeated; after that the engine retries at its own pace."""
NEAR = 30.0
"""Seconds of a pause that a request waits out; a longer one is reported to the caller, who can be interrupted."""
MOST_CONNECTIONS = 16
"""Connections that are kept, and requests in progress at once, besides submits and downloads."""
HEADERS = (("User-Agent", "clipform"), ("Accept", "application/json"), ("Accept-Encoding", "identity"))


@dataclass(frozen=True, slots=True)
class Waits:
    """Timeouts and limits of a transport. A submit's is the longest: giving up leaves it uncertain."""

    submit: Timeouts = Timeouts(connect=10, idle=180, total=300)
    ask: Timeouts = Timeouts(connect=10, idle=30, total=60)
    media: Bounds = Bounds()


@dataclass(frozen=True, slots=True)
class Auth:
    """The headers that carry the credentials, and the token among them, if the dialect uses one."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    token: str = field(default="", repr=False)


class Channel:
    """Exchanges with one provider. Nothing is kept per task, so ten thousand tasks cost the same as one."""

    def __init__(
        self, dialect: SpokenOverHttp, account: Account, pace: base.Pace, environment: Environment, waits: Waits
    ) -> None:
        self._dialect, self._account, self._environment, self._waits = dialect, account, environment, waits
        self.redactor = Redactor(account.secrets)
        self.limiter = RateLimiter(environment.clock, pace.requests_per_second, environment.random)
        self.ramp = ConcurrencyRamp(pace.concurrency)
        self.retry_budget = RetryBudget()
        self._proxy = environment.proxy(account.base_url)
        self._connections = Connections(self._proxy, keep=MOST_CONNECTIONS)
        self._slots = asyncio.Semaphore(MOST_CONNECTIONS)
        self._rejecting: set[str] = set()  # URLs that rejected a fresh token
        self._tokens: TokenKeeper | None = None
        if isinstance(dialect, Tokens):
            self._tokens = TokenKeeper(dialect, account, environment, self.anonymous)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connections.aclose()

    # --- submits ----------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Do all the waiting of a submit: its turn, a pause, a token. Raises ProviderError as `HttpTransport.slot`."""
        try:
            await self.limiter.acquire(rank=Rank.SUBMIT)
        except Paused as error:
            raise ProviderError(str(error), code="paused") from error
        if isinstance(auth := await self._auth(), base.PollTrouble):
            code = "credentials" if auth.refusal is base.Refusal.CREDENTIALS else "token"
            raise ProviderError(auth.message, code=code)

    async def submit(self, request: base.Request) -> base.Reply | base.NotSent | base.Unknown:
        """Send a submit now. Never raises. When the provider rejects the token, renew it once and send again: such a
        request was certainly not accepted."""
        auth = await self._auth()
        if isinstance(auth, base.PollTrouble):
            return base.NotSent(auth.message)
        answer = await self._send(request, auth)
        if self._refusal(answer) is not base.Refusal.TOKEN:
            return answer
        renewed = await self._auth(auth.token)
        if isinstance(renewed, base.PollTrouble) or renewed.token == auth.token:
            return answer
        return await self._send(request, renewed)

    async def _send(self, request: base.Request, auth: Auth) -> base.Reply | base.NotSent | base.Unknown:
        """Send a submit once. Any failure after the request has begun to leave, our own bugs included, is Unknown."""
        try:
            self.limiter.require_open()
            outgoing = self._outgoing(request, auth, fresh=True)
        except (Paused, ValueError, TypeError, RecursionError) as error:
            return base.NotSent(self.redactor.text(f"the request was not made: {error}"))
        try:
            async with Connections(self._proxy).open(outgoing, self._waits.submit) as incoming:
                content = await read(incoming, replies.MOST)
            answer = replies.reply(incoming.status, incoming.headers, content, self.redactor)
            answer = replace(answer, base_url=self._account.base_url)
            if not self._busy(answer) and isinstance(self._dialect.read_submit(answer), base.Accepted):
                self.limiter.reset_backoff()
                self.ramp.grow()
            return answer
        except ExchangeFailed as error:
            reason = self.redactor.text(error.reason)
            return base.Unknown(reason) if error.sent else base.NotSent(reason, error.closed)
        except Exception as error:  # noqa: BLE001  # the request may have gone out: an exception would hide that
            owner = type(self._dialect).__module__.partition(".")[0].replace("reconciler", "clipform")
            return base.Unknown(f"the answer could not be read ({type(error).__name__}). This is a bug in {owner}.")

    # --- what may be repeated ---------------------------------------------------------------

    async def ask(self, request: base.Request, rank: Rank = Rank.POLL) -> base.Reply | base.PollTrouble:
        """Send a request that may be repeated: a few times at most, and only while the retry budget lasts. A busy
        provider is not asked again here: the limiter pauses, and the answer says so."""
        return await self._authorised(lambda auth: self._outgoing(request, auth), rank)

    async def form(self, path: str, form: replies.Form) -> base.Reply | base.PollTrouble:
        """Send a file as a multipart form."""
        return await self._authorised(lambda auth: self._form(path, form, auth), Rank.SUBMIT)

    async def anonymous(self, request: base.Request) -> base.Reply | base.PollTrouble:
        """Send a repeatable request without credentials. The answer may hold one, so it is not redacted."""
        return await self._repeat(self._outgoing(request, Auth()), Redactor(), Rank.POLL)

    async def send_once(self, request: base.Request) -> base.Reply | base.PollTrouble:
        """Send a request once and at once, ahead of the queue; it still counts against the request rate."""
        auth = await self._auth()
        if isinstance(auth, base.PollTrouble):
            return auth
        try:
            self.limiter.require_open()
            self.limiter.record_request()
            return await self._exchange(self._outgoing(request, auth), self.redactor)
        except Paused as error:
            return base.PollTrouble(str(error), error.wait)
        except ExchangeFailed as error:
            return base.PollTrouble(self.redactor.text(error.reason))

    async def _authorised(self, build: Callable[[Auth], OutgoingRequest], rank: Rank) -> base.Reply | base.PollTrouble:
        """Run an exchange with credentials; renew a rejected token once. A path that rejects the new one, too, means
        something else by that code, and does not cause another renewal: each would end the token of other processes."""
        auth = await self._auth()
        if isinstance(auth, base.PollTrouble):
            return auth
        outgoing = build(auth)
        answer, path = await self._repeat(outgoing, self.redactor, rank), outgoing.url.partition("?")[0]
        if self._refusal(answer) is not base.Refusal.TOKEN or path in self._rejecting:
            return answer
        renewed = await self._auth(auth.token)
        if isinstance(renewed, base.PollTrouble) or renewed.token == auth.token:
            return answer
        answer = await self._repeat(build(renewed), self.redactor, rank)
        if self._refusal(answer) is base.Refusal.TOKEN:
            self._rejecting.add(path)
        return answer

    async def _repeat(self, outgoing: OutgoingRequest, redactor: Redactor, rank: Rank) -> base.Reply | base.PollTrouble:
        for attempt in range(TRIES):
            slow = False
            try:
                async with self._turn(rank):
                    answer: base.Reply | base.PollTrouble = await self._exchange(outgoing, redactor)
            except Paused as error:
                return base.PollTrouble(str(error), error.wait)
            except ExchangeFailed as error:
                reason = self.redactor.text(error.reason)
                answer, slow = base.PollTrouble(reason, closed=error.closed), error.slow
            if isinstance(answer, base.Reply) and self._busy(answer):
                return self._with_pause(answer)
            if isinstance(answer, base.Reply) and answer.status < 500:
                self.limiter.reset_backoff()
                self.retry_budget.earn()
                return answer
            if attempt + 1 == TRIES or not self.retry_budget.spend(slow=slow):
                break
            await self._environment.clock.sleep(backoff(attempt, self._environment.random))
        return answer

    @asynccontextmanager
    async def _turn(self, rank: Rank) -> AsyncIterator[None]:
        """Hold a turn at the limiter and a connection slot. The turn comes first, so that no request waits in a slot
        that one of a better rank could use. Raises Paused."""
        while True:
            await self.limiter.acquire(NEAR, rank)
            async with self._slots:
                if not self.limiter.paused:  # a pause may have begun during the wait for the slot
                    yield
                    return

    async def _exchange(self, outgoing: OutgoingRequest, redactor: Redactor) -> base.Reply:
        async with self._connections.open(outgoing, self._waits.ask) as incoming:
            content = await read(incoming, replies.MOST)
        return replies.reply(incoming.status, incoming.headers, content, redactor)

    def _busy(self, answer: base.Reply) -> bool:
        """Return True if the provider says that it is busy, in whatever form; then pause all requests."""
        outcome, hint = self._dialect.read_submit(answer), retry_after(answer)
        says_busy = isinstance(outcome, base.Rejected) and outcome.refusal is base.Refusal.BUSY
        if not says_busy and answer.status != 429 and (answer.status != 503 or hint is None):
            return False
        self.limiter.pause(hint)
        self.ramp.shrink(hinted=hint is not None)
        return True

    def _with_pause(self, answer: base.Reply) -> base.Reply | base.PollTrouble:
        """Return a busy answer, or the end of its pause if that is a long one."""
        try:
            self.limiter.require_open(LONGEST)
        except Paused as error:
            return base.PollTrouble(str(error), error.wait)
        return answer

    # --- helpers ----------------------------------------------------------------------------

    def _outgoing(self, request: base.Request, auth: Auth, *, fresh: bool = False) -> OutgoingRequest:
        """Return the request as it is sent. Raises ValueError if it would not go to the provider's own origin. The
        vendor's other host gets the key only from a provider at the vendor's own address, not at a proxy's."""
        origin = self._account.base_url
        if request.host and origin == self._dialect.base_url:
            origin = f"https://{request.host}"
        url = origin + quote(request.path, safe="/%:@!$&'()*+,;=-._~")
        if request.query:
            url += "?" + urlencode(request.query, quote_via=quote)
        if not request.path.startswith("/"):
            raise ValueError(f"{request.path!r} is not a path of the provider")
        headers = (*HEADERS, *request.headers, *auth.headers, *((("Connection", "close"),) if fresh else ()))
        if request.body is None:
            return OutgoingRequest(request.method, url, headers, is_late=request.is_late)
        headers += (("Content-Type", "application/json"),)
        return OutgoingRequest(request.method, url, headers, replies.encode(request.body), is_late=request.is_late)

    def _form(self, path: str, form: replies.Form, auth: Auth) -> OutgoingRequest:
        content_type, content = form.encoded()
        request = base.Request("POST", path, headers=(("Content-Type", content_type),))
        return replace(self._outgoing(request, auth), content=content)

    async def _auth(self, refused: str = "") -> Auth | base.PollTrouble:
        """Return the headers with the credentials, with a token other than `refused` if one can be had."""
        credentials = dict(self._account.credentials)
        token = credentials.get("access_token", "")
        if self._tokens is not None and not token:
            fetched = await self._tokens.get(refused)
            if isinstance(fetched, base.PollTrouble):
                return replace(fetched, message=self.redactor.text(fetched.message))
            self.redactor.learn(fetched)
            token = credentials["access_token"] = fetched
        return Auth(self._dialect.auth_headers(credentials), token)

    def _refusal(self, answer: base.Reply | base.NotSent | base.Unknown | base.PollTrouble) -> base.Refusal | None:
        """Return why a reply was rejected. A provider's envelope is the same for all its answers, so the table for
        submits applies to any of them."""
        outcome = self._dialect.read_submit(answer) if isinstance(answer, base.Reply) else None
        return outcome.refusal if isinstance(outcome, base.Rejected) else None
