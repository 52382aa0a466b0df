"""What a server does to a submit, and which of the four kinds of answer it is. Money hangs on the last column."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import zlib
from dataclasses import dataclass, replace

import pytest

from reconciler.engine.ports import Transport
from reconciler.providers.base import Accepted, NotSent, PollTrouble, Rejected, Reply, Request, SubmitAnswer, Unknown
from reconciler.providers.registry import BUILT_IN, dialect
from reconciler.spec.values import Number
from reconciler.transport.channel import Waits
from reconciler.transport.exchange import Timeouts
from tests.transport.kit import FAST, KEY, remote, submit, transport, world
from tests.transport.server import CLOSE, FLOOD, HANG, READ, RESET, Script, Server, Trickle, answer, http, serve

pytestmark = pytest.mark.anyio

SUBMIT = Request("POST", "/v3/async/seedance", body={"prompt": "a lake"})
OK = {"task_id": "t-1"}
FINE = json.dumps(OK).encode()
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
DRIP = Trickle(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50)


SILENCE = Waits(submit=Timeouts(connect=60, idle=0.3, total=60))
LENGTH = Waits(submit=Timeouts(connect=60, idle=60, total=1))


async def classed(url: str, request: Request = SUBMIT, proxy: str | None = None, waits: Waits = FAST) -> SubmitAnswer:
    """What the engine makes of a submit."""
    async with transport(url, around=world(proxy=proxy), waits=waits) as made:
        port: Transport = made
        async with port.slot() as send:
            reply = await send(request)
    return reply if isinstance(reply, NotSent | Unknown) else remote("jiekou").read_submit(reply)


@dataclass(frozen=True)
class Case:
    """A name, a script, a kind of answer, and a word of its message."""

    name: str
    script: Script
    kind: type[SubmitAnswer]
    says: str = ""

    @property
    def waits(self) -> Waits:
        """The one bound that the script is to reach: a busy machine would reach others first."""
        return SILENCE if HANG in self.script else LENGTH if DRIP in self.script else Waits()


def body(content: bytes, *headers: str) -> Script:
    """An answer 200 with these bytes."""
    return answer(200, content, *headers)


ANSWERS = (
    Case("an id", answer(200, OK), Accepted),
    Case("an id, status 201", answer(201, OK), Accepted),
    Case("an id, in gzip that nobody asked for", body(gzip.compress(FINE), "Content-Encoding: gzip"), Accepted),
    Case("an id, deflated", body(zlib.compress(FINE), "Content-Encoding: deflate"), Accepted),
    Case("an id, in chunks", (READ, CHUNKS + b"%x\r\n%b\r\n0\r\n\r\n" % (len(FINE), FINE)), Accepted),
    Case("an id, without a length", (READ, b"HTTP/1.1 200 OK\r\n\r\n" + FINE, CLOSE), Accepted),
    Case("an id, after a 100", (READ, b"HTTP/1.1 100 Continue\r\n\r\n" + http(200, OK)), Accepted),
    Case("an id, trickling in", (READ, Trickle(http(200, OK), 0.001)), Accepted),
    Case("an id, and then a reset", (READ, http(200, OK), RESET), Accepted),
    Case("an id behind a byte order mark", body(b"\xef\xbb\xbf" + FINE), Accepted),
    Case("a listed refusal", answer(400, {"code": 400, "reason": "INVALID_REQUEST_BODY", "message": "no"}), Rejected),
)  # fmt: skip

BROKEN = (
    Case("closed without an answer", (READ, CLOSE), Unknown, "disconnected"),
    Case("reset without an answer", (READ, RESET), Unknown),
    Case("reset before the request is read", (RESET,), Unknown),
    Case("no answer", (READ, HANG), Unknown, "no answer for"),
    Case("request not taken", (HANG,), Unknown, "no answer for"),
    Case("half a status line", (READ, b"HTTP/1.1 20", CLOSE), Unknown),
    Case("half a head", (READ, b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE), Unknown),
    Case("a head that trickles", (READ, DRIP), Unknown, "not finished within"),
    Case("another protocol", (READ, b"SSH-2.0-OpenSSH_9.2\r\n", CLOSE), Unknown),
    Case("half a body", (READ, http(200, FINE, length=100), CLOSE), Unknown),
    Case("half a body and a reset", (READ, http(200, FINE, length=100), RESET), Unknown),
    Case("half a body and silence", (READ, http(200, FINE, length=100), HANG), Unknown),
    Case("half a chunk", (READ, CHUNKS + b"ff\r\n" + FINE, CLOSE), Unknown),
    Case("a chunk that is none", (READ, CHUNKS + b"zz\r\n"), Unknown),
    Case("two lengths", (READ, http(200, OK, "Content-Length: 3")), Unknown),
    Case("an endless body", (READ, b"HTTP/1.1 200 OK\r\n\r\n", FLOOD), Unknown, "larger than"),
)  # fmt: skip

UNREADABLE = (
    Case("an empty body", body(b""), Unknown),
    Case("HTML", body(b"<html>502 Bad Gateway</html>"), Unknown, "Bad Gateway"),
    Case("half of JSON", body(FINE[:-1]), Unknown),
    Case("JSON nested past the stack", body(b"[" * 200_000), Unknown),
    Case("a number of 5,000 digits", body(b'{"task_id": "t-1", "n": %b}' % (b"9" * 5000)), Unknown),
    Case("not UTF-8", body(b'{"task_id": "\xff\xfe"}'), Unknown),
    Case("UTF-16", body('{"task_id": "t"}'.encode("utf-16")), Unknown),
    Case("two ids", body(b'{"task_id": "t-1", "task_id": "t-2"}'), Unknown),
    Case("the same id twice", body(b'{"task_id": "t-1", "task_id": "t-1"}'), Accepted),
    Case("NaN", body(b'{"task_id": "t-1", "n": NaN}'), Unknown),
    Case("an id with a lone surrogate", body(b'{"task_id": "t-\\ud800"}'), Unknown),
    Case("a lone surrogate elsewhere", body(b'{"task_id": "t-1", "m": "\\udfff"}'), Accepted),
    Case("a bomb", body(gzip.compress(bytes(50_000_000)), "Content-Encoding: gzip"), Unknown),
    Case("a coding that we do not know", body(FINE, "Content-Encoding: br"), Unknown),
    Case("gzip that is none", body(FINE, "Content-Encoding: gzip"), Unknown),
    Case("gzip that ends early", body(gzip.compress(FINE)[:-9], "Content-Encoding: gzip"), Unknown),
)  # fmt: skip

STATUSES = tuple(
    Case(f"status {status}", answer(status, {"code": status, "reason": "SOMETHING", "message": "no"}), Unknown)
    for status in (300, 301, 302, 303, 304, 307, 308, 408, 409, 418, 425, 499, 500, 502, 503, 504, 520, 599)
    if status != 304  # has no body by definition; the next row has it
) + (Case("status 304", (READ, b"HTTP/1.1 304 Not Modified\r\n\r\n"), Unknown),)


@pytest.mark.parametrize("case", (*ANSWERS, *BROKEN, *UNREADABLE, *STATUSES), ids=lambda case: case.name)
async def test_a_submit_is_classed(case: Case) -> None:
    async with serve(case.script) as server:
        found = await classed(server.url, waits=case.waits)
    assert isinstance(found, case.kind), found
    assert case.says in getattr(found, "message", "")
    assert KEY not in str(found)
    assert server.connections == 1, "never sent again"


async def test_a_request_that_is_late_when_it_could_leave_does_not_leave() -> None:
    async with serve(answer(200, OK)) as server:
        found = await classed(server.url, replace(SUBMIT, is_late=lambda: True))
        sent = await classed(server.url, replace(SUBMIT, is_late=lambda: False))
    assert isinstance(found, NotSent) and "was not sent" in found.message
    assert isinstance(sent, Accepted) and len(server.seen) == 1


async def test_nothing_is_sent_where_nobody_listens() -> None:
    async with serve(answer(200, OK)) as server:
        url = server.url
    found = await classed(url)
    assert found == NotSent(f"{url.removeprefix('http://')} refuses connections", closed=True)
    async with transport(url) as made:
        trouble = await made.ask(Request("GET", "/x"))
    assert (trouble, getattr(trouble, "closed", None)) == (PollTrouble(found.message, closed=True), True)


async def test_a_proxy_where_nobody_listens_is_named_without_its_password() -> None:
    async with serve(answer(200, OK)) as server:
        place = server.url.removeprefix("http://")
    found = await classed("http://api.vendor.test", proxy=f"http://user:secret@{place}")
    assert found == NotSent(f"the proxy {place} refuses connections", closed=True)


async def test_nothing_is_sent_to_a_name_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*args: object, **more: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", fails)
    found = await classed("http://api.nowhere.test")
    assert isinstance(found, NotSent) and found.message == "no network, or no such host: api.nowhere.test"


async def test_nothing_is_sent_when_connecting_takes_too_long() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        try:
            for other in waiting:
                other.setblocking(False)
                other.connect_ex(full.getsockname())
            found = await classed(f"http://127.0.0.1:{full.getsockname()[1]}")
        finally:
            for other in waiting:
                other.close()
    assert isinstance(found, NotSent) and found.message.startswith("no connection to 127.0.0.1:") and not found.closed


@pytest.mark.parametrize("script", [(READ, b"what?\r\n\r\n", CLOSE), (CLOSE,), (RESET,), (HANG,)], ids=str)
async def test_nothing_is_sent_when_tls_fails(script: Script) -> None:
    async with serve(script) as server:
        assert isinstance(await classed(f"https://127.0.0.1:{server.port}"), NotSent)


@pytest.mark.parametrize(
    "script",
    [
        answer(403, b"no"),
        answer(407, b"who are you?"),
        (READ, CLOSE),
        (READ, RESET),
        (READ, HANG),
        (READ, b"HTTP/1.1 200 Connection established\r\n\r\n", CLOSE),
    ],
    ids=lambda script: str(script[1:])[:40],
)
async def test_nothing_is_sent_when_the_proxy_gives_no_tunnel(script: Script) -> None:
    async with serve(script) as proxy:
        assert isinstance(await classed("https://api.vendor.test", proxy=proxy.url), NotSent)
    assert [seen.method for seen in proxy.seen] == ["CONNECT"]
    assert KEY.encode() not in proxy.raw


async def test_a_request_that_cannot_be_made_is_not_sent() -> None:
    cases = (
        Request("POST", "/x", body={"a": {1, 2}}),
        Request("POST", "/x", body={"a": "\ud800"}),
        Request("POST", "/x", body={"a": float("nan")}),
        Request("POST", "/x", body={"a": Number("1e999")}),
        Request("POST", "/x", headers=(("X-Bad", "a\r\nb: c"),)),
        Request("POST", "@elsewhere.test/x"),
        Request("POST", ".elsewhere.test/x"),
        Request("POST", ":1234/x"),
    )
    async with serve(answer(200, OK)) as server:
        for request in cases:
            assert isinstance(await classed(server.url, request), NotSent), request
    assert not server.seen


async def test_every_submit_has_a_connection_of_its_own() -> None:
    async with serve(answer(200, OK)) as server, transport(server.url) as made:
        for _ in range(3):
            assert isinstance(await submit(made, SUBMIT), Reply)
    assert server.connections == 3
    assert {seen.headers["connection"] for seen in server.seen} == {"close"}


async def test_a_submit_says_what_the_dialect_says() -> None:
    request = Request(
        "POST", "/a%2Fb/ü", (("q", "a b&c"),), {"prompt": "湖", "strength": Number("0.5"), "n": [1, True, None]}
    )
    async with serve(answer(200, OK)) as server:
        await classed(server.url + "/base", request)
    seen = server.seen[0]
    assert (seen.method, seen.target) == ("POST", "/base/a%2Fb/%C3%BC?q=a%20b%26c")
    assert seen.json == {"prompt": "湖", "strength": 0.5, "n": [1, True, None]}
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["content-type"] == "application/json"
    assert "cookie" not in seen.headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_a_submit_is_not_followed(status: int) -> None:
    async with serve(answer(200, OK)) as sink, serve(answer(status, b"", f"Location: {sink.url}/elsewhere")) as server:
        found = await classed(server.url)
    assert isinstance(found, Unknown)
    assert sink.connections == 0


@pytest.mark.parametrize("kind", sorted(BUILT_IN.keys() - {"draft"}))
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 408, 409, 425, 499, 500, 502, 503, 504])
def test_no_dialect_takes_such_a_status_for_a_refusal(kind: str, status: int, anyio_backend: str) -> None:
    for content in (None, {}, {"code": status, "message": "no"}, {"error": {"code": "x", "message": "no"}}):
        assert isinstance(dialect(kind).read_submit(Reply(status, content)), Unknown)


async def test_a_fault_of_ours_does_not_hide_a_submit(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(answer(200, OK)) as server, transport(server.url) as made:
        monkeypatch.setattr("reconciler.transport.replies.reply", lambda *given: 1 / 0)
        assert isinstance(await submit(made, SUBMIT), Unknown)


async def test_a_cancelled_submit_takes_its_connection_with_it() -> None:
    async with serve((READ, HANG), answer(200, OK)) as server, transport(server.url) as made:
        task = asyncio.create_task(submit(made, SUBMIT))
        await until(server, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(await submit(made, SUBMIT), Reply)
        assert made.ramp.active == 0


async def until(server: Server, requests: int) -> None:
    """Wait until so many requests came."""
    async with asyncio.timeout(5):
        while len(server.seen) < requests:  # noqa: ASYNC110  # the server has no events
            await asyncio.sleep(0.001)
