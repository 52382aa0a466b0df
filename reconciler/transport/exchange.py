"""One exchange on one connection: the only module that knows httpx.

`Connections` keeps single connections, each in an httpx transport that serves one request at a time. httpx's
shared pool is not used: a request that is cancelled while it waits for the pool poisons it for ever, and its cost grows
with the number in flight. Here a request that ends in any way but cleanly takes its connection with it, so that
cancelling is always safe, nothing waits for a pool, and a connection that is not kept is a fresh one for everybody.

httpx's transports, unlike its clients, add no header, keep no cookie, follow no redirect, read no netrc and log no URL.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

import httpx

for _name in ("httpx", "httpcore"):  # their lines have URLs, headers and bodies in them
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

IDLE = 15.0
"""Seconds that an unused connection is kept; servers drop theirs after some more."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for a connection, for the next bytes either way, and for everything together."""

    connect: float
    idle: float
    total: float


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """One request as it goes out. `address` is connected to instead of what the URL's host resolves to."""

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    content: bytes = field(default=b"", repr=False)
    address: str = ""


class ExchangeFailed(Exception):
    """An exchange without a complete answer. `sent`: a byte of the request may have left; `slow`: time ran out."""

    def __init__(self, words: str, *, sent: bool, slow: bool = False) -> None:
        super().__init__(words)
        self.words, self.sent, self.slow = words, sent, slow


class _Trace:
    """Hears from httpcore when the request itself (not a proxy's CONNECT) is handed to the socket."""

    def __init__(self) -> None:
        self.sent = False

    async def __call__(self, event: str, info: Mapping[str, object]) -> None:
        if event == "http11.send_request_headers.started":
            self.sent = getattr(info.get("request"), "method", b"") != b"CONNECT"

    def broken(self, error: Exception, patience: Timeouts) -> ExchangeFailed:
        """What an error means. A request that breaks HTTP's own rules is refused by h11 before it is written."""
        slow = isinstance(error, TimeoutError | httpx.TimeoutException)
        sent = self.sent and not isinstance(error, httpx.LocalProtocolError)
        return ExchangeFailed(_words(error, patience), sent=sent, slow=slow)


class Incoming:
    """The head of an answer, and its body as it comes in. Header names are lower-case."""

    def __init__(self, response: httpx.Response, trace: _Trace, patience: Timeouts) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers.items())
        self._response, self._trace, self._patience = response, trace, patience

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it is on the wire, undecoded. Raises Broken where it is cut short or ill-formed."""
        try:
            async for chunk in self._response.aiter_raw():
                yield chunk
        except Exception as error:
            raise self._trace.broken(error, self._patience) from error


class Connections:
    """Connections to one place, or with `keep=0` a new one for every exchange."""

    def __init__(self, proxy: str | None = None, keep: int = 0) -> None:
        self._proxy = proxy
        self._keep = keep
        self._idle: list[httpx.AsyncHTTPTransport] = []

    @asynccontextmanager
    async def open(self, call: OutgoingRequest, patience: Timeouts) -> AsyncIterator[Incoming]:
        """Send a request; leave after reading the answer. Raises Broken."""
        line = self._idle.pop() if self._idle else self._connect()
        trace, clean = _Trace(), False
        try:
            async with asyncio.timeout(patience.total):
                response = await _begin(line, call, patience, trace)
                try:
                    yield Incoming(response, trace, patience)
                    clean = True
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise trace.broken(error, patience) from error
        finally:
            await self._give_back(line, clean)

    async def aclose(self) -> None:
        """Close what is kept; exchanges under way close their own."""
        self._keep = 0
        while self._idle:
            await self._idle.pop().aclose()

    def _connect(self) -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=min(self._keep, 1), keepalive_expiry=IDLE)
        return httpx.AsyncHTTPTransport(verify=_tls(), trust_env=False, limits=limits, proxy=self._proxy)

    async def _give_back(self, line: httpx.AsyncHTTPTransport, clean: bool) -> None:
        if clean and len(self._idle) < self._keep:
            self._idle.append(line)
        else:
            await line.aclose()


async def read(incoming: Incoming, most: int) -> bytes:
    """The whole body. Raises Broken when it is larger than `most` bytes."""
    body = bytearray()
    async with aclosing(incoming.chunks()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > most:
                raise ExchangeFailed(f"the answer is larger than {most} bytes", sent=True)
    return bytes(body)


async def _begin(
    line: httpx.AsyncHTTPTransport, call: OutgoingRequest, patience: Timeouts, trace: _Trace
) -> httpx.Response:
    try:
        return await line.handle_async_request(_request(call, patience, trace))
    except Exception as error:  # whatever it was: what matters is whether the request had begun to leave
        raise trace.broken(error, patience) from error


def _request(call: OutgoingRequest, patience: Timeouts, trace: _Trace) -> httpx.Request:
    """With an `address`, the name stays in `Host`, in TLS's server name and in the check of the certificate."""
    url = httpx.URL(call.url)
    timeout = {"connect": patience.connect, "pool": patience.connect, "read": patience.idle, "write": patience.idle}
    extensions: dict[str, object] = {"timeout": timeout, "trace": trace}
    headers = [("Host", url.netloc.decode("ascii")), *call.headers]
    if call.address:
        extensions["sni_hostname"] = url.raw_host.decode("ascii")
        url = url.copy_with(host=call.address)
    return httpx.Request(call.method, url, headers=headers, content=call.content or None, extensions=extensions)


@functools.cache
def _tls() -> ssl.SSLContext:
    """One context for all: making it reads every root certificate. `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured."""
    return httpx.create_ssl_context()


def _words(error: Exception, patience: Timeouts) -> str:
    """An error in words; the text of httpx's own is often empty."""
    match error:
        case httpx.ConnectTimeout():
            return f"no connection within {patience.connect:g} s"
        case httpx.ReadTimeout():
            return f"no answer for {patience.idle:g} s"
        case httpx.WriteTimeout():
            return f"could not send for {patience.idle:g} s"
        case TimeoutError():
            return f"not done within {patience.total:g} s"
        case httpx.ProxyError():
            return f"the proxy refused: {error}"
        case _:
            return str(error) or f"the connection broke ({type(error).__name__})"
