"""One HTTP exchange on one connection; the only module that imports httpx.

`Connections` keeps single connections, each in an httpx transport that serves one request at a time. httpx's shared
pool is not used: a request that is cancelled while it waits for the pool blocks that pool for good, and its cost grows
with the number of requests. Here a request that does not end cleanly closes its connection, so cancelling is always
safe, nothing waits for a pool, and with `keep=0` every exchange has a fresh connection.

httpx's transports, unlike its clients, add no header, keep no cookie, follow no redirect, read no netrc and log no URL.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import logging
import socket
import ssl
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import field

import httpx

from reconciler.frozen import dataclass

for _name in ("httpx", "httpcore"):  # they log URLs, headers and bodies
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

if importlib.util.find_spec("sniffio") is None:  # httpcore imports it at each lock: not to search the path each time
    sys.modules["sniffio"] = None  # type: ignore[assignment]  # the documented mark of a module that is missing

IDLE = 15.0
"""Seconds that an unused connection is kept; servers drop theirs a little later."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for a connection, for the next bytes in either direction, and for the whole exchange."""

    connect: float
    idle: float
    total: float


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """One request as it is sent. With `address` the connection goes there, not to the URL's host. `is_late`: see
    `base.Request`."""

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    content: bytes = field(default=b"", repr=False)
    address: str = ""
    is_late: Callable[[], bool] | None = None


class ExchangeFailed(Exception):
    """An exchange without a complete answer. `sent`: a byte of the request may have left; `slow`: a timeout; `closed`:
    nothing listens at the address."""

    def __init__(self, reason: str, *, sent: bool, slow: bool = False, closed: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.sent, self.slow, self.closed = reason, sent, slow, closed


class TooLate(Exception):
    """A request was not sent, because its attempt may belong to somebody else by then."""


class _Trace:
    """Receives httpcore's trace events and notes when the request (not a proxy's CONNECT) goes to the socket."""

    def __init__(self, outgoing: OutgoingRequest, proxy: str | None) -> None:
        self.sent, self._url, self._is_late, self._proxy = False, outgoing.url, outgoing.is_late, proxy

    async def __call__(self, event: str, info: Mapping[str, object]) -> None:
        if event == "http11.send_request_headers.started":
            if self._is_late is not None and self._is_late():
                raise TooLate("it took too long until the request could leave, so it was not sent")
            self.sent = getattr(info.get("request"), "method", b"") != b"CONNECT"

    def failure(self, error: Exception, timeouts: Timeouts) -> ExchangeFailed:
        """Return an error as ExchangeFailed. h11 refuses a request that breaks HTTP's rules before it is written."""
        slow = isinstance(error, TimeoutError | httpx.TimeoutException)
        sent = self.sent and not isinstance(error, httpx.LocalProtocolError)
        closed = isinstance(error, httpx.ConnectError) and any(
            isinstance(e, ConnectionRefusedError) for e in _chain(error)
        )
        return ExchangeFailed(
            _reason(error, timeouts, _place(self._url, self._proxy)), sent=sent, slow=slow, closed=closed
        )


class Incoming:
    """The status and headers of an answer, and its body as it arrives. Header names are lower-case."""

    def __init__(self, response: httpx.Response, trace: _Trace, timeouts: Timeouts) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers.items())
        self._response, self._trace, self._timeouts = response, trace, timeouts

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as sent, undecoded. Raises ExchangeFailed if it is cut short or malformed."""
        try:
            async for chunk in self._response.aiter_raw():
                yield chunk
        except Exception as error:
            raise self._trace.failure(error, self._timeouts) from error


class Connections:
    """Connections to one origin; with `keep=0` every exchange has a new one."""

    def __init__(self, proxy: str | None = None, keep: int = 0) -> None:
        self._proxy = proxy
        self._keep = keep
        self._idle: list[httpx.AsyncHTTPTransport] = []

    @asynccontextmanager
    async def open(self, outgoing: OutgoingRequest, timeouts: Timeouts) -> AsyncIterator[Incoming]:
        """Send a request; the block reads the answer. Raises ExchangeFailed."""
        connection = self._idle.pop() if self._idle else self._connect()
        trace, clean = _Trace(outgoing, self._proxy), False
        try:
            async with asyncio.timeout(timeouts.total):
                response = await _begin(connection, outgoing, timeouts, trace)
                try:
                    yield Incoming(response, trace, timeouts)
                    clean = True
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise trace.failure(error, timeouts) from error
        finally:
            await self._release(connection, clean)

    async def aclose(self) -> None:
        """Close the idle connections; exchanges in progress close their own."""
        self._keep = 0
        while self._idle:
            await self._idle.pop().aclose()

    def _connect(self) -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=min(self._keep, 1), keepalive_expiry=IDLE)
        return httpx.AsyncHTTPTransport(verify=_tls(), trust_env=False, limits=limits, proxy=self._proxy)

    async def _release(self, connection: httpx.AsyncHTTPTransport, clean: bool) -> None:
        if clean and len(self._idle) < self._keep:
            self._idle.append(connection)
        else:
            await connection.aclose()


async def read(incoming: Incoming, maximum: int) -> bytes:
    """Return the whole body. Raises ExchangeFailed if it is larger than `maximum` bytes."""
    body = bytearray()
    async with aclosing(incoming.chunks()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > maximum:
                raise ExchangeFailed(f"the answer is larger than {maximum} bytes", sent=True)
    return bytes(body)


async def _begin(
    connection: httpx.AsyncHTTPTransport, outgoing: OutgoingRequest, timeouts: Timeouts, trace: _Trace
) -> httpx.Response:
    try:
        return await connection.handle_async_request(_request(outgoing, timeouts, trace))
    except Exception as error:  # any error: only whether the request had begun to leave matters
        raise trace.failure(error, timeouts) from error


def _request(outgoing: OutgoingRequest, timeouts: Timeouts, trace: _Trace) -> httpx.Request:
    """Return the httpx request. With an `address`, the name stays in `Host`, in TLS and in the certificate check."""
    url = httpx.URL(outgoing.url)
    timeout = {"connect": timeouts.connect, "pool": timeouts.connect, "read": timeouts.idle, "write": timeouts.idle}
    extensions: dict[str, object] = {"timeout": timeout, "trace": trace}
    headers = [("Host", url.netloc.decode("ascii")), *outgoing.headers]
    if outgoing.address:
        extensions["sni_hostname"] = url.raw_host.decode("ascii")
        url = url.copy_with(host=outgoing.address)
    return httpx.Request(outgoing.method, url, headers=headers, content=outgoing.content or None, extensions=extensions)


@functools.cache
def _tls() -> ssl.SSLContext:
    """Return one TLS context for all connections: creating it reads every root certificate. `SSL_CERT_FILE` and
    `SSL_CERT_DIR` are honoured."""
    return httpx.create_ssl_context()


def _place(url: str, proxy: str | None) -> str:
    """Return the host and port that a connection leads to."""
    target = httpx.URL(proxy or url)
    port = target.port or (443 if target.scheme == "https" else 80)
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"{'the proxy ' if proxy else ''}{host}:{port}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and all that caused it: a name may have several addresses, each with an error of its own."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from _chain(inner)
        error = error.__cause__ or error.__context__


def _reason(error: Exception, timeouts: Timeouts, place: str) -> str:
    """Return an error as text; httpx's own text is often empty."""
    match error:
        case httpx.ConnectTimeout():
            return f"no connection to {place} within {timeouts.connect:g} s"
        case httpx.ConnectError():
            causes = list(_chain(error))
            if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
                return f"{place} refuses connections"
            if any(isinstance(cause, socket.gaierror) for cause in causes):
                return f"no network, or no such host: {place.rpartition(':')[0]}"
            return f"no connection to {place}: {error}"
        case httpx.ReadTimeout():
            return f"no answer for {timeouts.idle:g} s"
        case httpx.WriteTimeout():
            return f"could not send for {timeouts.idle:g} s"
        case TimeoutError():
            return f"not finished within {timeouts.total:g} s"
        case httpx.ProxyError():
            return f"the proxy refused: {error}"
        case _:
            return str(error) or f"the connection broke ({type(error).__name__})"
