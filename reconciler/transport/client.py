"""`HttpTransport`: one provider over HTTP, as the engine's `Transport` port and the vendor's other abilities.

A submit is sent once, on a fresh connection; what happened is told by whether the request had begun to leave.
Everything else may be repeated and is, within a budget. All of it goes through one gate. Credentials are headers of
requests to the base URL's origin and stand nowhere else; no redirect is followed there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from reconciler.diagnostics import ProviderError
from reconciler.providers.abilities import (
    Balance,
    Balances,
    CancelRefused,
    Cancels,
    Hosted,
    Listed,
    Lists,
    Remote,
    SendForm,
    TaskPage,
    Tokens,
    Uploads,
)
from reconciler.providers.base import (
    Accepted,
    Cancelled,
    Failed,
    Job,
    NoOutput,
    NotFound,
    NotSent,
    Pace,
    PollAnswer,
    PollTrouble,
    Refusal,
    Rejected,
    Reply,
    Request,
    Unknown,
    Working,
)
from reconciler.providers.reading import retry_after
from reconciler.transport import replies, uploads
from reconciler.transport.account import Account
from reconciler.transport.board import Board
from reconciler.transport.fetch import Bounds, Media
from reconciler.transport.gate import LONGEST, Budget, Gate, Paused, Ramp, backoff
from reconciler.transport.ports import Sponge, World
from reconciler.transport.redact import Redactor
from reconciler.transport.tokens import TokenKeeper
from reconciler.transport.wire import Broken, Call, Patience, Wire, read

TRIES = 3
"""Attempts of a request that may be repeated; what then fails is asked again by the engine, at its own pace."""
NEAR = 30.0
"""Seconds of a pause that a request waits out; of a longer one the caller is told, who can be interrupted."""
PAGES = 200
"""Pages of a list that are read at most."""
LINES = 16
"""Connections that are kept, and requests under way at once, besides submits and downloads."""

Send = Callable[[Request], Awaitable[Reply | NotSent | Unknown]]


HEADERS = (("User-Agent", "clipform"), ("Accept", "application/json"), ("Accept-Encoding", "identity"))


@dataclass(frozen=True, slots=True)
class Auth:
    """The headers that carry the credentials, and the token among them, where there is one."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Waits:
    """How long things may take. A submit is waited for longest: giving up on it leaves a question to a person."""

    submit: Patience = Patience(connect=10, idle=180, total=300)
    ask: Patience = Patience(connect=10, idle=30, total=60)
    media: Bounds = Bounds()


class HttpTransport:
    """One provider. Nothing is held per task, so ten thousand in flight cost what one costs."""

    def __init__(self, dialect: Remote, account: Account, pace: Pace, world: World, waits: Waits | None = None) -> None:
        self.dialect, self._account, self._world, self._waits = dialect, account, world, waits or Waits()
        self._redactor = Redactor(account.secrets)
        self._proxy = world.proxy(account.base_url)
        self._wire = Wire(self._proxy, keep=LINES)
        self._lines = asyncio.Semaphore(LINES)
        self._gate = Gate(world.clock, pace.requests_per_second, world.random)
        self.ramp = Ramp(pace.concurrency)
        self.budget = Budget()
        self._media = Media(account.base_url, world, self._redactor, self._waits.media)
        self._board = Board(dialect, self.ask, self._poll, world.clock) if isinstance(dialect, Lists) else None
        self._tokens = self._keeper(dialect) if isinstance(dialect, Tokens) else None

    def __repr__(self) -> str:
        return f"HttpTransport({self.dialect.kind})"

    # --- submits ----------------------------------------------------------------------------

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Send]:
        """A place for one submit. All waiting (a place on the ramp, the pace, a pause, a token) is done before it is
        given, so that nothing comes between the durable intent and the request. Raises ProviderError, when nothing
        was sent: `paused`, `credentials`, or `token` (which may pass)."""
        async with self.ramp.place():
            try:
                await self._gate.turn()
            except Paused as error:
                raise ProviderError(str(error), code="paused") from error
            if isinstance(auth := await self._auth(), PollTrouble):
                code = "credentials" if auth.refusal is Refusal.CREDENTIALS else "token"
                raise ProviderError(auth.message, code=code)
            yield self._submit

    async def submit(self, request: Request) -> Reply | NotSent | Unknown:
        """Send a submit once, on a fresh connection, without retries or redirects."""
        try:
            async with self.slot() as send:
                return await send(request)
        except ProviderError as error:
            return NotSent(error.message)

    async def _submit(self, request: Request) -> Reply | NotSent | Unknown:
        auth = await self._auth()
        if isinstance(auth, PollTrouble):
            return NotSent(auth.message)
        answer = await self._send(request, auth)
        if self._refusal(answer) is not Refusal.TOKEN:
            return answer
        renewed = await self._auth(auth.token)
        if isinstance(renewed, Auth) and renewed.token != auth.token:
            answer = await self._send(request, renewed)  # turned down at the door, so surely not accepted
        return answer

    async def _send(self, request: Request, auth: Auth) -> Reply | NotSent | Unknown:
        """Never raises: what goes wrong once the request has begun to leave, our own faults included, is Unknown."""
        try:
            self._gate.check()
            call = self._call(request, auth)
        except (Paused, ValueError, TypeError, RecursionError) as error:
            return NotSent(self.redact(f"the request was not made: {error}"))
        try:
            async with Wire(self._proxy).open(call, self._waits.submit) as incoming:
                content = await read(incoming, replies.MOST)
                answer = replies.reply(incoming.status, incoming.headers, content, self._redactor)
            self._learn(answer)
            return answer
        except Broken as error:
            words = self.redact(error.words)
            return Unknown(words) if error.sent else NotSent(words)
        except Exception as error:  # noqa: BLE001  # the request may have gone out: an exception would hide that
            return Unknown(self.redact(f"the answer could not be read ({type(error).__name__})"))

    def _learn(self, answer: Reply) -> None:
        """What the reply to a submit teaches the gate."""
        said, hint = self.dialect.read_submit(answer), retry_after(answer)
        if isinstance(said, Rejected) and said.refusal is Refusal.BUSY or answer.status == 429:
            wait = said.retry_after if isinstance(said, Rejected) and said.retry_after is not None else hint
            self._gate.pause(wait)
            self.ramp.shrink(told=wait is not None)
        elif answer.status == 503 and hint is not None:
            self._gate.pause(hint)
        elif isinstance(said, Accepted):
            self._gate.calm()
            self.ramp.grow()

    # --- what may be repeated ---------------------------------------------------------------

    async def ask(self, request: Request) -> Reply | PollTrouble:
        """Send a request that may be repeated: a few times at most, and only while the provider's faults are within
        its budget. A busy provider is not asked again from here: the gate is shut, and the answer says so."""
        return await self._authorised(lambda auth: self._call(request, auth))

    async def form(self, step: SendForm, name: str, content_type: str, content: bytes) -> Reply | PollTrouble:
        """Send a file as a form, with the credentials."""
        kind, body = replies.multipart(step.field, name, content_type, content)
        headers = (("Content-Type", kind),)
        return await self._authorised(lambda auth: self._call(Request("POST", step.path, headers=headers), auth, body))

    async def put(self, url: str, content_type: str, content: bytes) -> Reply:
        """Send a file to a foreign host, without the credentials. Raises ProviderError."""
        return await self._media.put(url, content_type, content)

    async def _authorised(self, build: Callable[[Auth], Call]) -> Reply | PollTrouble:
        """An exchange with credentials; a token that is turned down is renewed once."""
        auth = await self._auth()
        if isinstance(auth, PollTrouble):
            return auth
        answer = await self._repeat(build(auth), self._redactor)
        if self._refusal(answer) is Refusal.TOKEN:
            renewed = await self._auth(auth.token)
            if isinstance(renewed, PollTrouble):
                return renewed
            if renewed.token != auth.token:
                return await self._repeat(build(renewed), self._redactor)
        return answer

    async def _repeat(self, call: Call, redactor: Redactor) -> Reply | PollTrouble:
        for attempt in range(TRIES):
            slow = False
            try:
                answer: Reply | PollTrouble = await self._exchange(call, redactor)
            except Paused as error:
                return PollTrouble(str(error), error.wait)
            except Broken as error:
                answer, slow = PollTrouble(self.redact(error.words)), error.slow
            if isinstance(answer, Reply) and answer.status < 500:
                return self._heard(answer)
            if isinstance(answer, Reply) and (hint := retry_after(answer)) is not None:
                self._gate.pause(hint)  # busy, whatever it calls it
                return answer
            if attempt + 1 == TRIES or not self.budget.spend(slow=slow):
                break
            await self._world.clock.sleep(backoff(attempt, self._world.random))
        return answer

    async def _exchange(self, call: Call, redactor: Redactor, *, hurried: bool = False) -> Reply:
        """One exchange in turn; `hurried` goes out at once, and the next one waits for longer."""
        async with self._lines:
            if hurried:
                self._gate.check(NEAR)
                self._gate.passed()
            else:
                await self._gate.turn(NEAR)
            async with self._wire.open(call, self._waits.ask) as incoming:
                content = await read(incoming, replies.MOST)
                return replies.reply(incoming.status, incoming.headers, content, redactor)

    def _heard(self, answer: Reply) -> Reply | PollTrouble:
        """An answer that says something. One that is busy for long is told with the time until when."""
        if answer.status != 429 and self._refusal(answer) is not Refusal.BUSY:
            self._gate.calm()
            self.budget.earn()
            return answer
        self._gate.pause(retry_after(answer))
        try:
            self._gate.check(LONGEST)
        except Paused as error:
            return PollTrouble(str(error), error.wait)
        return answer

    # --- what the vendor can do -------------------------------------------------------------

    async def look(self, task: str, job: Job | None = None) -> PollAnswer:
        """How a task stands. Where the vendor has lists, callers who ask at about the same time share one request."""
        answer = await (self._board.look(task) if self._board else self._poll(task, job))
        return self._presentable(answer)

    async def _poll(self, task: str, job: Job | None = None) -> PollAnswer:
        reply = await self.ask(self.dialect.poll(task, job))
        return reply if isinstance(reply, PollTrouble) else self.dialect.read_poll(task, reply)

    async def fetch(self, url: str, part: Sponge) -> tuple[int, str]:
        """Download into an empty part; size and SHA-256. Raises ProviderError, see `Media.fetch`."""
        return await self._media.fetch(url, part)

    async def upload(self, path: Path, sha256: str, content_type: str) -> Hosted:
        """Have the vendor host a local file. Raises ProviderError, also when it hosts none (`no-uploads`)."""
        if not isinstance(self.dialect, Uploads):
            raise ProviderError(f"kind {self.dialect.kind} hosts no files", code="no-uploads")
        return await uploads.upload(self.dialect, self, self._world.clock, path, sha256, content_type)

    async def balance(self) -> Balance | PollTrouble | None:
        """What is left on the account; None where the vendor does not tell."""
        if not isinstance(self.dialect, Balances):
            return None
        reply = await self.ask(self.dialect.balance())
        return reply if isinstance(reply, PollTrouble) else self.dialect.read_balance(reply)

    async def tasks(self) -> tuple[Listed, ...] | PollTrouble | None:
        """Every task that the vendor lists, each once; None where it has no list. Trouble on any page is trouble: what
        an incomplete reading does not show proves nothing."""
        if not isinstance(self.dialect, Lists):
            return None
        found: dict[str, Listed] = {}
        for number in range(1, PAGES + 1):
            reply = await self.ask(self.dialect.list_tasks(page=number))
            page = reply if isinstance(reply, PollTrouble) else self.dialect.read_list(reply)
            if not isinstance(page, TaskPage):
                return page
            found.update((listed.task, listed) for listed in page.tasks)
            if not page.tasks or (page.total is not None and number * self.dialect.list_size >= page.total):
                return tuple(found.values())
        return PollTrouble(f"the list has more than {PAGES} pages")

    async def cancel(self, task: str) -> Cancelled | CancelRefused | NotFound | PollTrouble | None:
        """Drop a task that is queued; None where the vendor cannot. Sent once, right behind a poll that says queued:
        on a finished task the same request may delete the result."""
        if not isinstance(self.dialect, Cancels):
            return None
        match await self._poll(task):
            case Working(queued=True):
                auth = await self._auth()
                if isinstance(auth, PollTrouble):
                    return auth
            case (Cancelled() | NotFound() | PollTrouble()) as ended:
                return ended
            case _:
                return CancelRefused("it is no longer queued")
        try:
            call = self._call(self.dialect.cancel(task), auth)
            return self.dialect.read_cancel(await self._exchange(call, self._redactor, hurried=True))
        except (Paused, Broken) as error:
            return PollTrouble(self.redact(str(error)))

    def redact(self, text: str) -> str:
        """Text without this provider's secrets: for messages that are made of its answers elsewhere."""
        return self._redactor.text(text)

    async def aclose(self) -> None:
        """Let go of everything."""
        if self._board is not None:
            await self._board.aclose()
        await self._wire.aclose()

    # --- helpers ----------------------------------------------------------------------------

    def _call(self, request: Request, auth: Auth, body: bytes | None = None) -> Call:
        """The request as it goes out. Raises ValueError for one that would not go to the provider's own origin."""
        base = self._account.base_url
        url = base + quote(request.path, safe="/%:@!$&'()*+,;=-._~")
        if request.query:
            url += "?" + urlencode(request.query, quote_via=quote)
        if not request.path.startswith("/") or urlsplit(url)[:2] != urlsplit(base)[:2]:
            raise ValueError(f"{request.path!r} is not a path of the provider")
        headers = (*HEADERS, *request.headers, *auth.headers)
        if request.body is not None:
            body, headers = replies.encode(request.body), (*headers, ("Content-Type", "application/json"))
        return Call(request.method, url, headers, body or b"")

    def _keeper(self, dialect: Tokens) -> TokenKeeper:
        async def exchange(request: Request) -> Reply | PollTrouble:
            # The answer is the secret: it is neither redacted nor shown.
            return await self._repeat(self._call(request, Auth()), Redactor())

        return TokenKeeper(dialect, self._account, self._world, exchange)

    async def _auth(self, refused: str = "") -> Auth | PollTrouble:
        """The headers with the credentials; a token other than `refused`."""
        given = dict(self._account.credentials)
        token = given.get("access_token", "")
        if self._tokens is not None and not token:
            found = await self._tokens.get(refused)
            if isinstance(found, PollTrouble):
                return replace(found, message=self.redact(found.message))
            self._redactor.learn(found)
            token = given["access_token"] = found
        return Auth(self.dialect.auth_headers(given), token)

    def _refusal(self, answer: Reply | NotSent | Unknown | PollTrouble) -> Refusal | None:
        """Why a reply was turned down: a vendor's envelope is the same for all its answers, so the table that proves
        a submit refused tells it for any of them."""
        said = self.dialect.read_submit(answer) if isinstance(answer, Reply) else None
        return said.refusal if isinstance(said, Rejected) else None

    def _presentable(self, answer: PollAnswer) -> PollAnswer:
        if isinstance(answer, PollTrouble | Failed | NoOutput | NotFound | Cancelled):
            return replace(answer, message=self.redact(answer.message))
        return answer
