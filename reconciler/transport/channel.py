"""The API side of one provider: credentials in, answers out, everything in turn.

A submit is sent once, on a fresh connection, and is classed by whether it had begun to leave. All else may be repeated
and is, within a budget. Credentials are headers of requests to the base URL's origin and stand nowhere else; no
redirect is followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode

from reconciler.diagnostics import ProviderError
from reconciler.providers.base import (
    Accepted,
    NotSent,
    Pace,
    PollTrouble,
    Refusal,
    Rejected,
    Reply,
    Request,
    Unknown,
)
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
"""Attempts of a request that may be repeated; what then fails is asked again by the engine, at its own pace."""
NEAR = 30.0
"""Seconds of a pause that a request waits out; of a longer one the caller is told, who can be interrupted."""
LINES = 16
"""Connections that are kept, and requests under way at once, besides submits and downloads."""
HEADERS = (("User-Agent", "clipform"), ("Accept", "application/json"), ("Accept-Encoding", "identity"))


@dataclass(frozen=True, slots=True)
class Waits:
    """How long things may take. A submit is waited for longest: giving up on it leaves a question to a person."""

    submit: Timeouts = Timeouts(connect=10, idle=180, total=300)
    ask: Timeouts = Timeouts(connect=10, idle=30, total=60)
    media: Bounds = Bounds()


@dataclass(frozen=True, slots=True)
class Auth:
    """The headers that carry the credentials, and the token among them, where there is one."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    token: str = field(default="", repr=False)


class Channel:
    """Exchanges with one provider. Nothing is held per task, so ten thousand in flight cost what one costs."""

    def __init__(self, dialect: SpokenOverHttp, account: Account, pace: Pace, world: Environment, waits: Waits) -> None:
        self._dialect, self._account, self._world, self._waits = dialect, account, world, waits
        self.redactor = Redactor(account.secrets)
        self.gate = RateLimiter(world.clock, pace.requests_per_second, world.random)
        self.ramp = ConcurrencyRamp(pace.concurrency)
        self.budget = RetryBudget()
        self._proxy = world.proxy(account.base_url)
        self._wire = Connections(self._proxy, keep=LINES)
        self._lines = asyncio.Semaphore(LINES)
        self._tokens = self._keeper(dialect) if isinstance(dialect, Tokens) else None

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._wire.aclose()

    # --- submits ----------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Do all the waiting of a submit: its turn, a pause, a token. Raises ProviderError (see `slot`)."""
        try:
            await self.gate.turn(rank=Rank.SUBMIT)
        except Paused as error:
            raise ProviderError(str(error), code="paused") from error
        if isinstance(auth := await self._auth(), PollTrouble):
            code = "credentials" if auth.refusal is Refusal.CREDENTIALS else "token"
            raise ProviderError(auth.message, code=code)

    async def submit(self, request: Request) -> Reply | NotSent | Unknown:
        """Send a submit now. Never raises. A token that is turned down is renewed once and the submit sent again: it
        was refused at the door, so surely not accepted."""
        auth = await self._auth()
        if isinstance(auth, PollTrouble):
            return NotSent(auth.message)
        answer = await self._send(request, auth)
        if self._refusal(answer) is not Refusal.TOKEN:
            return answer
        renewed = await self._auth(auth.token)
        if isinstance(renewed, PollTrouble) or renewed.token == auth.token:
            return answer
        return await self._send(request, renewed)

    async def _send(self, request: Request, auth: Auth) -> Reply | NotSent | Unknown:
        """What goes wrong once the request has begun to leave, our own faults included, is Unknown."""
        try:
            self.gate.check()
            call = self._call(request, auth, fresh=True)
        except (Paused, ValueError, TypeError, RecursionError) as error:
            return NotSent(self.redactor.text(f"the request was not made: {error}"))
        try:
            async with Connections(self._proxy).open(call, self._waits.submit) as incoming:
                content = await read(incoming, replies.MOST)
            answer = replies.reply(incoming.status, incoming.headers, content, self.redactor)
            if not self._busy(answer) and isinstance(self._dialect.read_submit(answer), Accepted):
                self.gate.calm()
                self.ramp.grow()
            return answer
        except ExchangeFailed as error:
            words = self.redactor.text(error.words)
            return Unknown(words) if error.sent else NotSent(words)
        except Exception as error:  # noqa: BLE001  # the request may have gone out: an exception would hide that
            return Unknown(f"the answer could not be read ({type(error).__name__}). This is a bug in clipform.")

    # --- what may be repeated ---------------------------------------------------------------

    async def ask(self, request: Request, rank: Rank = Rank.POLL) -> Reply | PollTrouble:
        """Send a request that may be repeated: a few times at most, and only while the provider's faults are within
        its budget. A busy provider is not asked again from here: the gate is shut, and the answer says so."""
        return await self._authorised(lambda auth: self._call(request, auth), rank)

    async def form(self, path: str, form: replies.Form) -> Reply | PollTrouble:
        """Send a file as a form."""
        return await self._authorised(lambda auth: self._form(path, form, auth), Rank.SUBMIT)

    async def anonymous(self, request: Request) -> Reply | PollTrouble:
        """Send a request that may be repeated without credentials. Its answer may be one: it is not redacted."""
        return await self._repeat(self._call(request, Auth()), Redactor(), Rank.POLL)

    async def hurry(self, request: Request) -> Reply | PollTrouble:
        """Send a request once and at once; the next one waits for longer."""
        auth = await self._auth()
        if isinstance(auth, PollTrouble):
            return auth
        try:
            self.gate.check()
            self.gate.passed()
            return await self._exchange(self._call(request, auth), self.redactor)
        except Paused as error:
            return PollTrouble(str(error), error.wait)
        except ExchangeFailed as error:
            return PollTrouble(self.redactor.text(error.words))

    async def _authorised(self, build: Callable[[Auth], OutgoingRequest], rank: Rank) -> Reply | PollTrouble:
        """An exchange with credentials; a token that is turned down is renewed once."""
        auth = await self._auth()
        if isinstance(auth, PollTrouble):
            return auth
        answer = await self._repeat(build(auth), self.redactor, rank)
        if self._refusal(answer) is not Refusal.TOKEN:
            return answer
        renewed = await self._auth(auth.token)
        if isinstance(renewed, PollTrouble) or renewed.token == auth.token:
            return answer
        return await self._repeat(build(renewed), self.redactor, rank)

    async def _repeat(self, call: OutgoingRequest, redactor: Redactor, rank: Rank) -> Reply | PollTrouble:
        for attempt in range(TRIES):
            slow = False
            try:
                async with self._passage(rank):
                    answer: Reply | PollTrouble = await self._exchange(call, redactor)
            except Paused as error:
                return PollTrouble(str(error), error.wait)
            except ExchangeFailed as error:
                answer, slow = PollTrouble(self.redactor.text(error.words)), error.slow
            if isinstance(answer, Reply) and self._busy(answer):
                return self._told(answer)
            if isinstance(answer, Reply) and answer.status < 500:
                self.gate.calm()
                self.budget.earn()
                return answer
            if attempt + 1 == TRIES or not self.budget.spend(slow=slow):
                break
            await self._world.clock.sleep(backoff(attempt, self._world.random))
        return answer

    @asynccontextmanager
    async def _passage(self, rank: Rank) -> AsyncIterator[None]:
        """A turn at the gate, and a connection's place; the turn first, so that nobody waits for it in a place that one
        of a better rank could have. Raises Paused."""
        while True:
            await self.gate.turn(NEAR, rank)
            async with self._lines:
                if self.gate.open:  # it may have been shut while we waited for the place
                    yield
                    return

    async def _exchange(self, call: OutgoingRequest, redactor: Redactor) -> Reply:
        async with self._wire.open(call, self._waits.ask) as incoming:
            content = await read(incoming, replies.MOST)
        return replies.reply(incoming.status, incoming.headers, content, redactor)

    def _busy(self, answer: Reply) -> bool:
        """Whether the provider says that it is busy, whatever it calls it; then the gate is shut for everybody."""
        said, hint = self._dialect.read_submit(answer), retry_after(answer)
        named = isinstance(said, Rejected) and said.refusal is Refusal.BUSY
        if not named and answer.status != 429 and (answer.status != 503 or hint is None):
            return False
        self.gate.pause(hint)
        self.ramp.shrink(told=hint is not None)
        return True

    def _told(self, answer: Reply) -> Reply | PollTrouble:
        """A busy answer; where the pause is a long one, the time until when."""
        try:
            self.gate.check(LONGEST)
        except Paused as error:
            return PollTrouble(str(error), error.wait)
        return answer

    # --- helpers ----------------------------------------------------------------------------

    def _call(self, request: Request, auth: Auth, *, fresh: bool = False) -> OutgoingRequest:
        """The request as it goes out. Raises ValueError for one that would not go to the provider's own origin."""
        base = self._account.base_url
        url = base + quote(request.path, safe="/%:@!$&'()*+,;=-._~")
        if request.query:
            url += "?" + urlencode(request.query, quote_via=quote)
        if not request.path.startswith("/"):
            raise ValueError(f"{request.path!r} is not a path of the provider")
        headers = (*HEADERS, *request.headers, *auth.headers, *((("Connection", "close"),) if fresh else ()))
        if request.body is None:
            return OutgoingRequest(request.method, url, headers)
        headers += (("Content-Type", "application/json"),)
        return OutgoingRequest(request.method, url, headers, replies.encode(request.body))

    def _form(self, path: str, form: replies.Form, auth: Auth) -> OutgoingRequest:
        kind, content = form.encoded()
        return replace(self._call(Request("POST", path, headers=(("Content-Type", kind),)), auth), content=content)

    def _keeper(self, dialect: Tokens) -> TokenKeeper:
        return TokenKeeper(dialect, self._account, self._world, self.anonymous)

    async def _auth(self, refused: str = "") -> Auth | PollTrouble:
        """The headers with the credentials; with a token other than `refused`, where it can be had."""
        given = dict(self._account.credentials)
        token = given.get("access_token", "")
        if self._tokens is not None and not token:
            found = await self._tokens.get(refused)
            if isinstance(found, PollTrouble):
                return replace(found, message=self.redactor.text(found.message))
            self.redactor.learn(found)
            token = given["access_token"] = found
        return Auth(self._dialect.auth_headers(given), token)

    def _refusal(self, answer: Reply | NotSent | Unknown | PollTrouble) -> Refusal | None:
        """Why a reply was turned down: a vendor's envelope is the same for all its answers, so the table that proves
        a submit refused tells it for any of them."""
        said = self._dialect.read_submit(answer) if isinstance(answer, Reply) else None
        return said.refusal if isinstance(said, Rejected) else None
