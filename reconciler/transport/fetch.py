"""Talks to media hosts: no credentials, checked links, bounded in bytes and in time.

A download goes straight into the part, so it is not begun again once its first byte is written: the caller takes a
fresh part for that. Ranges are not asked for; starting over is always right, and clips are small. What cannot be told
from here (a body without a length that ends early) is left to the caller's structural check.
"""

from __future__ import annotations

import asyncio
import hashlib
import string
from contextlib import aclosing
from dataclasses import dataclass, replace
from urllib.parse import quote, urljoin, urlsplit

from reconciler.artifacts.store import ByteSink
from reconciler.clock import Clock
from reconciler.diagnostics import ProviderError
from reconciler.providers.base import Reply
from reconciler.providers.replies import quoted
from reconciler.transport import addresses, replies
from reconciler.transport.addresses import Forbidden
from reconciler.transport.exchange import Connections, ExchangeFailed, Incoming, OutgoingRequest, Timeouts, read
from reconciler.transport.pacing import RetryBudget, backoff
from reconciler.transport.ports import Environment
from reconciler.transport.redact import Redactor

DEAD = frozenset({403, 404, 410})
MOVED = frozenset({301, 302, 303, 307, 308})
HOPS = 3
TRIES = 3

PLAIN = (
    ("User-Agent", "clipform"),
    ("Accept", "*/*"),
    ("Accept-Encoding", "identity"),
    ("Connection", "close"),
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a download may take: bytes, seconds, and after `grace` seconds how few bytes a second on average."""

    size: int = 2 * 1024**3
    rate: float = 8 * 1024
    grace: float = 60.0
    patience: Timeouts = Timeouts(connect=10, idle=60, total=3600)


class Media:
    """The media side of one provider. `home` is its base URL: links to this machine are right only if that is here."""

    def __init__(self, home: str, world: Environment, redactor: Redactor, bounds: Bounds | None = None) -> None:
        self._loopback = addresses.is_loopback(home)
        self._world, self._redactor, self._bounds = world, redactor, bounds or Bounds()
        self._budget = RetryBudget()

    async def fetch(self, url: str, part: ByteSink) -> tuple[int, str]:
        """Download into an empty part; its size and SHA-256. Raises ProviderError: `link-dead` asks for a new link,
        `link-refused` is not followed, `too-large` and `too-slow` broke a bound, `download` may work another time."""
        tap = _Tap(part, self._bounds, self._world.clock)
        for attempt in range(TRIES):
            try:
                await self._follow(url, tap, attempt)
                self._budget.earn()
                return tap.size, tap.hash.hexdigest()
            except ExchangeFailed as error:
                if tap.size or attempt + 1 == TRIES or not self._budget.spend(slow=error.slow):
                    raise self._error("download", f"the download broke off: {error.words}") from error
                await self._world.clock.sleep(backoff(attempt, self._world.random))
        raise AssertionError("unreachable")

    async def put(self, url: str, content_type: str, content: bytes) -> Reply:
        """Send bytes to a link that a provider gave for it; what answers. Raises ProviderError."""
        try:
            found = await self._call("PUT", url)
            call = replace(found, headers=(*PLAIN, ("Content-Type", content_type)), content=content)
            async with Connections(self._world.proxy(call.url)).open(call, self._bounds.patience) as incoming:
                body = await read(incoming, replies.MOST)
                return replies.reply(incoming.status, incoming.headers, body, self._redactor)
        except ExchangeFailed as error:
            raise self._error("upload", f"the upload broke off: {error.words}") from error

    async def _follow(self, url: str, tap: _Tap, attempt: int) -> None:
        for _ in range(HOPS + 1):
            call = await self._call("GET", url, attempt=attempt)
            async with Connections(self._world.proxy(call.url)).open(call, self._bounds.patience) as incoming:
                if incoming.status not in MOVED:
                    await self._take(incoming, tap)
                    return
                url = urljoin(call.url, incoming.headers.get("location", ""))
        raise self._error("link-refused", f"the link leads through more than {HOPS} redirects")

    async def _call(self, method: str, url: str, attempt: int = 0) -> OutgoingRequest:
        """The request for a link that was checked. Another attempt takes the next address of the same host."""
        url = quote(url, safe=string.punctuation)  # some vendors write file names as they are
        try:
            proxied = self._world.proxy(url) is not None
            async with asyncio.timeout(self._bounds.patience.connect):  # the system's resolver has its own idea of time
                found = await addresses.check(url, self._world.resolve, loopback=self._loopback, proxied=proxied)
        except Forbidden as error:
            raise self._error("link-refused", f"a link of the provider is not followed: {error}") from error
        except TimeoutError as error:
            raise ExchangeFailed(f"{urlsplit(url).hostname} does not resolve in time", sent=False, slow=True) from error
        except OSError as error:
            raise ExchangeFailed(f"{urlsplit(url).hostname} does not resolve ({error})", sent=False) from error
        return OutgoingRequest(method, url, PLAIN, address=found[attempt % len(found)] if found else "")

    async def _take(self, incoming: Incoming, tap: _Tap) -> None:
        length = self._length(incoming)
        tap.expect(length or 0)
        try:
            async with aclosing(incoming.chunks()) as chunks:
                async for chunk in chunks:
                    tap.write(chunk)
        except _Bound as error:
            raise self._error(error.code, str(error)) from error
        if length is not None and tap.size != length:
            raise ExchangeFailed(f"{tap.size} of {length} bytes came", sent=True)
        if not tap.size:
            raise self._error("download", "the link gave an empty file")

    def _length(self, incoming: Incoming) -> int | None:
        """The announced length of an answer that is worth reading."""
        status, coding = incoming.status, incoming.headers.get("content-encoding", "identity")
        if status in DEAD:
            raise self._error("link-dead", f"the link is dead (HTTP {status})")
        if status == 429 or status >= 500:
            raise ExchangeFailed(f"HTTP {status}", sent=True)
        if status != 200:
            raise self._error("download", f"the link answered HTTP {status}")
        if coding.strip().lower() != "identity":
            raise self._error("download", f"the file comes encoded as {quoted(coding)}, which was not asked for")
        announced = incoming.headers.get("content-length", "")
        length = int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 19 else None
        if length is not None and length > self._bounds.size:
            raise self._error("too-large", f"the file has {length} bytes; the limit is {self._bounds.size}")
        return length

    def _error(self, code: str, words: str) -> ProviderError:
        return ProviderError(self._redactor.text(words), code=code)


class _Bound(Exception):
    """The body is not what we are ready to take."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


class _Tap:
    """Between the wire and the part: counts, hashes, and stops what is too much, too slow or not media at all."""

    def __init__(self, part: ByteSink, bounds: Bounds, clock: Clock) -> None:
        self.size, self.hash = 0, hashlib.sha256()
        self._part, self._bounds, self._clock, self._began = part, bounds, clock, clock.monotonic()

    def expect(self, size: int) -> None:
        """There is room for so many bytes, or whoever keeps them says that there is not."""
        self._part.expect(size)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes. No media format of ours begins like XML, HTML or JSON; error pages do."""
        if not self.size and chunk.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"<", b"{", b"["):
            page = quoted(chunk[:200].decode("utf-8", "replace"))
            raise _Bound("download", f"the link gave a text instead of media: {page}")
        if self.size + len(chunk) > self._bounds.size:
            raise _Bound("too-large", f"the file has more than {self._bounds.size} bytes")
        self.size += len(chunk)
        self._part.write(chunk)
        self.hash.update(chunk)
        self._require_speed(self._clock.monotonic() - self._began)

    def _require_speed(self, elapsed: float) -> None:
        if elapsed > self._bounds.patience.total:
            raise _Bound("too-slow", f"the download took more than {self._bounds.patience.total:g} s")
        if elapsed > self._bounds.grace and self.size < elapsed * self._bounds.rate:
            raise _Bound("too-slow", f"the download came to {self.size} bytes in {elapsed:.0f} s")
