"""Transfers from and to media hosts: without credentials, with checked links, bounded in bytes and in time.

A download is written directly into the part file, so it is not restarted after its first byte: the caller then uses a
fresh part. Range requests are not used; starting over is always correct, and clips are small. One fault is invisible
here, a body without a length that ends early; the caller's structural check finds it.
"""

from __future__ import annotations

import asyncio
import hashlib
import string
from contextlib import aclosing
from dataclasses import replace
from urllib.parse import quote, urljoin, urlsplit

from reconciler.artifacts.store import ByteSink
from reconciler.clock import Clock
from reconciler.diagnostics import ProviderError
from reconciler.frozen import dataclass
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
    """Limits of a download: bytes, seconds, and after `grace` seconds a minimum average rate in bytes per second."""

    size: int = 2 * 1024**3
    rate: float = 8 * 1024
    grace: float = 60.0
    timeouts: Timeouts = Timeouts(connect=10, idle=60, total=3600)


class MediaClient:
    """The media side of one provider. `home` is its base URL, which decides about links that are not public."""

    def __init__(self, home: str, environment: Environment, redactor: Redactor, bounds: Bounds | None = None) -> None:
        self._home = home
        self._environment, self._redactor, self._bounds = environment, redactor, bounds or Bounds()
        self._retry_budget = RetryBudget()

    async def fetch(self, url: str, part: ByteSink) -> tuple[int, str]:
        """Download into an empty part; return its size and SHA-256. Raises ProviderError: `link-dead` needs a new link,
        `link-refused` is not followed, `too-large` and `too-slow` exceed a limit, `download` may succeed later."""
        writer = _BoundedWriter(part, self._bounds, self._environment.clock)
        for attempt in range(TRIES):
            try:
                await self._follow(url, writer, attempt)
                self._retry_budget.earn()
                return writer.size, writer.hash.hexdigest()
            except ExchangeFailed as error:
                if writer.size or attempt + 1 == TRIES or not self._retry_budget.spend(slow=error.slow):
                    raise self._error("download", f"the download failed: {error.reason}") from error
                await self._environment.clock.sleep(backoff(attempt, self._environment.random))
        raise AssertionError("unreachable")

    async def put(self, url: str, content_type: str, content: bytes) -> Reply:
        """Send bytes to a link that a provider gave for them; return the answer. Raises ProviderError."""
        try:
            connections, checked = await self._checked_request("PUT", url)
            outgoing = replace(checked, headers=(*PLAIN, ("Content-Type", content_type)), content=content)
            async with connections.open(outgoing, self._bounds.timeouts) as incoming:
                body = await read(incoming, replies.MOST)
                return replies.reply(incoming.status, incoming.headers, body, self._redactor)
        except ExchangeFailed as error:
            raise self._error("upload", f"the upload failed: {error.reason}") from error

    async def _follow(self, url: str, writer: _BoundedWriter, attempt: int) -> None:
        for _ in range(HOPS + 1):
            connections, outgoing = await self._checked_request("GET", url, attempt=attempt)
            async with connections.open(outgoing, self._bounds.timeouts) as incoming:
                if incoming.status not in MOVED:
                    await self._receive(incoming, writer)
                    return
                url = urljoin(outgoing.url, incoming.headers.get("location", ""))
        raise self._error("link-refused", f"the link has more than {HOPS} redirects")

    async def _checked_request(self, method: str, url: str, attempt: int = 0) -> tuple[Connections, OutgoingRequest]:
        """Return the way and the request for a link after its check. Each attempt takes the next address of the same
        host."""
        url = quote(url, safe=string.punctuation)  # some vendors do not escape file names
        try:
            proxy, resolve = self._environment.proxy(url), self._environment.resolve
            async with asyncio.timeout(self._bounds.timeouts.connect):  # the system's resolver has timeouts of its own
                allowed = await addresses.check(url, resolve, home=self._home, proxied=proxy is not None)
        except Forbidden as error:
            raise self._error("link-refused", f"a link of the provider is not followed: {error}") from error
        except TimeoutError as error:
            raise ExchangeFailed(f"resolving {urlsplit(url).hostname} timed out", sent=False, slow=True) from error
        except OSError as error:
            raise ExchangeFailed(f"{urlsplit(url).hostname} does not resolve ({error})", sent=False) from error
        address = allowed[attempt % len(allowed)] if allowed else ""
        return Connections(proxy), OutgoingRequest(method, url, PLAIN, address=address)

    async def _receive(self, incoming: Incoming, writer: _BoundedWriter) -> None:
        length = self._length(incoming)
        writer.expect(length or 0)
        try:
            async with aclosing(incoming.chunks()) as chunks:
                async for chunk in chunks:
                    writer.write(chunk)
        except _LimitExceeded as error:
            raise self._error(error.code, str(error)) from error
        if length is not None and writer.size != length:
            raise ExchangeFailed(f"received {writer.size} of {length} bytes", sent=True)
        if not writer.size:
            raise self._error("download", "the link returned an empty file")

    def _length(self, incoming: Incoming) -> int | None:
        """Return the announced length of an acceptable answer, None if there is none. Raises for any other answer."""
        status, coding = incoming.status, incoming.headers.get("content-encoding", "identity")
        if status in DEAD:
            raise self._error("link-dead", f"the link is dead (HTTP {status})")
        if status == 429 or status >= 500:
            raise ExchangeFailed(f"HTTP {status}", sent=True)
        if status != 200:
            raise self._error("download", f"the link answered HTTP {status}")
        if coding.strip().lower() != "identity":
            text = f"the file has the content encoding {quoted(coding)}, which was not requested"
            raise self._error("download", text)
        announced = incoming.headers.get("content-length", "")
        length = int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 19 else None
        if length is not None and length > self._bounds.size:
            raise self._error("too-large", f"the file has {length} bytes; the limit is {self._bounds.size}")
        return length

    def _error(self, code: str, message: str) -> ProviderError:
        return ProviderError(self._redactor.text(message), code=code)


class _LimitExceeded(Exception):
    """The body exceeds a limit or is not media."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _BoundedWriter:
    """Writes a download into the part: counts, hashes, and stops a body that is too large, too slow or not media."""

    def __init__(self, part: ByteSink, bounds: Bounds, clock: Clock) -> None:
        self.size, self.hash = 0, hashlib.sha256()
        self._part, self._bounds, self._clock, self._began = part, bounds, clock, clock.monotonic()

    def expect(self, size: int) -> None:
        """Reserve space for `size` bytes; the part raises ArtifactError if the disk is too full."""
        self._part.expect(size)

    def write(self, chunk: bytes) -> None:
        """Append the next bytes. No accepted media format begins like XML, HTML or JSON; error pages do."""
        if not self.size and chunk.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"<", b"{", b"["):
            page = quoted(chunk[:200].decode("utf-8", "replace"))
            raise _LimitExceeded("download", f"the link returned text instead of media: {page}")
        if self.size + len(chunk) > self._bounds.size:
            raise _LimitExceeded("too-large", f"the file has more than {self._bounds.size} bytes")
        self.size += len(chunk)
        self._part.write(chunk)
        self.hash.update(chunk)
        self._require_speed(self._clock.monotonic() - self._began)

    def _require_speed(self, elapsed: float) -> None:
        if elapsed > self._bounds.timeouts.total:
            raise _LimitExceeded("too-slow", f"the download took more than {self._bounds.timeouts.total:g} s")
        if elapsed > self._bounds.grace and self.size < elapsed * self._bounds.rate:
            raise _LimitExceeded("too-slow", f"the download is too slow: {self.size} bytes in {elapsed:.0f} s")
