"""Downloads: what a media host does, and what becomes of it."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import ssl
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from reconciler.diagnostics import ArtifactError, ProviderError
from reconciler.transport import exchange
from reconciler.transport.fetch import Bounds
from tests.transport.kit import FAST, KEY, JumpClock, Names, Part, transport, world
from tests.transport.server import CLOSE, FLOOD, HANG, READ, RESET, Script, Trickle, answer, http, serve

pytestmark = pytest.mark.anyio

VIDEO = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 2000
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n"


@dataclass(frozen=True)
class Case:
    """A name, scripts, the code of the error (empty: it is fetched), and how many requests that takes."""

    name: str
    scripts: tuple[Script, ...]
    code: str = ""
    requests: int = 1
    says: str = ""


GOOD = answer(200, VIDEO)

CASES = (
    Case("a file", (GOOD,)),
    Case("a file of another type", (answer(200, VIDEO, "Content-Type: text/html"),)),
    Case("a file in chunks", ((READ, CHUNKED % (len(VIDEO), VIDEO) + b"0\r\n\r\n"),)),
    Case("a file without a length", ((READ, b"HTTP/1.1 200 OK\r\n\r\n" + VIDEO, CLOSE),)),
    Case("an empty file", (answer(200, b""),), "download", says="empty"),
    *(Case(f"dead with {status}", (answer(status, b"<Error/>"),), "link-dead") for status in (403, 404, 410)),
    *(Case(f"status {status}", (answer(status, VIDEO),), "download") for status in (201, 206, 300, 400, 401, 416)),
    Case("no content", ((READ, b"HTTP/1.1 204 No Content\r\n\r\n"),), "download"),
    Case("an XML error", (answer(200, b'<?xml version="1.0"?><Error>expired</Error>'),), "download", says="expired"),
    Case("an HTML page", (answer(200, b"\n <!DOCTYPE html><p>log in</p>", "Content-Type: video/mp4"),), "download"),
    Case("a JSON error", (answer(200, {"code": 403}),), "download", says="text instead of media"),
    Case("a JSON error behind a mark", (answer(200, b'\xef\xbb\xbf{"code": 403}'),), "download"),
    Case("gzip that nobody asked for", (answer(200, gzip.compress(VIDEO), "Content-Encoding: gzip"),), "download"),
    Case("a 503, then a file", (answer(503), GOOD), requests=2),
    Case("a 429, then a file", (answer(429), GOOD), requests=2),
    Case("closed at once, then a file", ((READ, CLOSE), GOOD), requests=2),
    Case("reset at once, then a file", ((READ, RESET), GOOD), requests=2),
    Case("silence at once, then a file", ((READ, HANG), GOOD), requests=2),
    Case("always a 500", (answer(500),), "download", requests=3),
    Case("half a file", ((READ, http(200, VIDEO[:9000], length=len(VIDEO)), CLOSE), GOOD), "download"),
    Case("half a file and a reset", ((READ, http(200, VIDEO[:9000], length=len(VIDEO)), RESET), GOOD), "download"),
    Case("half a file and silence", ((READ, http(200, VIDEO[:9000], length=len(VIDEO)), HANG), GOOD), "download"),
    Case("half a chunk", ((READ, CHUNKED % (len(VIDEO) * 2, VIDEO), CLOSE), GOOD), "download"),
    Case("no last chunk", ((READ, CHUNKED % (len(VIDEO), VIDEO), CLOSE), GOOD), "download"),
    Case("a redirect to nowhere", ((READ, http(302)),), "", requests=4),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_download(case: Case) -> None:
    part = Part()
    async with serve(*case.scripts) as server, transport(server.url) as made:
        url = f"{server.url}/clip.mp4?X-Signature=presigned"
        if case.code or case.name == "a redirect to nowhere":
            with pytest.raises(ProviderError) as caught:
                await made.fetch(url, part)
            assert caught.value.code == (case.code or "link-refused")
            assert case.says in caught.value.message and "presigned" not in caught.value.message
        else:
            assert await made.fetch(url, part) == (len(VIDEO), hashlib.sha256(VIDEO).hexdigest())
            assert part.content == VIDEO
    assert len(server.seen) == case.requests


async def test_a_body_that_is_cut_short_without_a_length_is_left_to_the_caller() -> None:
    part = Part()
    async with serve((READ, b"HTTP/1.1 200 OK\r\n\r\n" + VIDEO[:9000], CLOSE)) as server, transport(server.url) as made:
        assert (await made.fetch(server.url, part))[0] == 9000


async def test_no_credential_reaches_the_media_host() -> None:
    async with (
        serve(GOOD) as sink,
        serve(answer(302, b"", f"Location: {sink.url}/b.mp4", "Set-Cookie: a=b")) as media,
        serve(answer(200, {})) as api,
        transport(api.url) as made,
    ):
        await made.fetch(f"{media.url}/a.mp4", Part())
    for server in (media, sink):
        assert len(server.seen) == 1
        assert KEY.encode() not in server.raw
        assert server.seen[0].headers.keys() == {"host", "user-agent", "accept", "accept-encoding", "connection"}
        assert server.seen[0].headers["accept-encoding"] == "identity"
        assert server.seen[0].headers["host"] == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize("hops", [1, 3, 4])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_three_redirects_are_followed_and_no_more(hops: int, status: int) -> None:
    moves = [answer(status, b"", "Location: /next.mp4") for _ in range(hops)]
    async with serve(*moves, GOOD) as server, transport(server.url) as made:
        if hops > 3:
            with pytest.raises(ProviderError, match="more than 3 redirects"):
                await made.fetch(server.url, Part())
        else:
            await made.fetch(server.url, Part())
    assert len(server.seen) == min(hops, 3) + 1


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.100.100.200/",
        "https://10.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://rebind.test/",
        "http://public.test/",
        "file:///etc/passwd",
        "https://user:key@public.test/",
        "//10.0.0.1/",
    ],
)
async def test_a_redirect_elsewhere_is_refused_in_words(target: str) -> None:
    around = world(names={"rebind.test": ["8.8.8.8", "192.168.0.1"], "public.test": ["8.8.8.8"]})
    async with serve(answer(302, b"", f"Location: {target}")) as server, transport(server.url, around=around) as made:
        with pytest.raises(ProviderError, match="a link of the provider is not followed: it") as caught:
            await made.fetch(server.url, Part())
    assert caught.value.code == "link-refused"


async def test_this_machine_is_refused_to_a_provider_elsewhere() -> None:
    async with serve(GOOD) as server, transport("https://api.vendor.test") as made:
        with pytest.raises(ProviderError, match="not followed"):
            await made.fetch(server.url, Part())
    assert server.connections == 0


async def test_a_name_is_resolved_once_and_the_connection_goes_there() -> None:
    names = Names({"media.test": ["127.0.0.1"]})
    async with serve(GOOD) as server, transport(server.url, around=replace(world(), resolve=names)) as made:
        await made.fetch(f"http://media.test:{server.port}/a.mp4", Part())
    assert server.seen[0].headers["host"] == f"media.test:{server.port}"
    assert names.asked == ["media.test"]


async def test_a_link_with_a_file_name_as_people_write_it_is_fetched() -> None:
    moved = answer(302, b"", "Location: /第 2.mp4")
    async with serve(moved, GOOD) as server, transport(server.url) as made:
        await made.fetch(f"{server.url}/第 1%20.mp4?a=b%2Fc", Part())
    assert [seen.target for seen in server.seen] == ["/%E7%AC%AC%201%20.mp4?a=b%2Fc", "/%E7%AC%AC%202.mp4"]


async def test_another_try_takes_another_address() -> None:
    around = world(names={"media.test": ["127.0.0.2", "127.0.0.1"]})
    async with serve(GOOD) as server, transport(server.url, around=around) as made:
        assert (await made.fetch(f"http://media.test:{server.port}/a.mp4", Part()))[0] == len(VIDEO)


async def test_a_name_without_an_address_is_an_error_that_may_pass() -> None:
    async with serve(GOOD) as server, transport(server.url) as made:
        with pytest.raises(ProviderError, match="gone.test does not resolve") as caught:
            await made.fetch("https://gone.test/a.mp4", Part())
    assert caught.value.code == "download"


async def test_through_a_proxy_the_name_is_the_proxys_affair() -> None:
    async with serve(answer(403)) as proxy, transport("http://127.0.0.1:1", around=world(proxy=proxy.url)) as made:
        with pytest.raises(ProviderError, match="the proxy refused: 403"):
            await made.fetch("https://media.test/a.mp4?sig=x", Part())
    assert {(seen.method, seen.target) for seen in proxy.seen} == {("CONNECT", "media.test:443")}


async def test_a_file_over_the_limit_is_not_taken() -> None:
    small = replace(FAST, media=replace(FAST.media, size=100_000))
    endless: Script = (READ, b"HTTP/1.1 200 OK\r\n\r\n", FLOOD)
    for script, written in ((GOOD, 0), (endless, 100_000)):
        part = Part()
        async with serve(script) as server, transport(server.url, waits=small) as made:
            with pytest.raises(ProviderError) as caught:
                await made.fetch(server.url, part)
        assert caught.value.code == "too-large"
        assert len(part.content) <= written


@pytest.mark.parametrize(
    ("seconds", "bounds", "code"),
    [
        (20.0, Bounds(timeouts=FAST.media.timeouts), "too-slow"),  # one byte every 20 s
        (20.0, Bounds(rate=0.01, timeouts=replace(FAST.media.timeouts, total=100.0)), "too-slow"),
        (0.1, Bounds(timeouts=replace(FAST.media.timeouts, total=100.0)), ""),  # slow, but soon done
    ],
)
async def test_a_slow_file_holds_no_slot_for_ever(seconds: float, bounds: Bounds, code: str) -> None:
    clock = JumpClock()

    def tick() -> None:
        clock.time += seconds

    trickle: Script = (READ, http(200, length=30), Trickle(b"\x00" * 30, 0.001))
    waits = replace(FAST, media=bounds)
    async with serve(trickle) as server, transport(server.url, around=world(clock), waits=waits) as made:
        if code:
            with pytest.raises(ProviderError) as caught:
                await made.fetch(server.url, Part(tick))
            assert caught.value.code == code
        else:
            await made.fetch(server.url, Part(tick))


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for media.test, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    about = ["-subj", "/CN=media.test", "-addext", "subjectAltName=DNS:media.test", "-days", "30"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    try:
        subprocess.run([*command, *files, *about], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl here to make a certificate with")
    return folder


@pytest.mark.parametrize(("name", "good"), [("media.test", True), ("other.test", False)])
async def test_tls_checks_the_name_though_the_address_is_connected_to(
    name: str, good: bool, identity: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = ssl.create_default_context(cafile=str(identity / "cert.pem"))
    monkeypatch.setattr(exchange, "_tls", lambda: ours)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(identity / "cert.pem", identity / "key.pem")
    shown: list[str | None] = []
    theirs.sni_callback = lambda connection, server_name, context: shown.append(server_name)
    async with serve(GOOD, tls=theirs) as server:
        around = world(names={name: ["127.0.0.1"]})
        async with transport("http://127.0.0.1:1", around=around) as made:
            if good:
                assert (await made.fetch(f"https://{name}:{server.port}/a.mp4", Part()))[0] == len(VIDEO)
            else:
                with pytest.raises(ProviderError, match="certificate"):
                    await made.fetch(f"https://{name}:{server.port}/a.mp4", Part())
    assert set(shown) == {name}


class Full(Part):
    """Where there is no room."""

    def expect(self, size: int, /) -> None:
        raise ArtifactError(f"no room for {size} bytes", code="disk-full")


async def test_what_there_is_no_room_for_is_not_read() -> None:
    part = Full()
    async with serve(GOOD) as server, transport(server.url) as made:
        with pytest.raises(ArtifactError, match=f"no room for {len(VIDEO)} bytes"):
            await made.fetch(f"{server.url}/clip.mp4", part)
    assert part.writes == 0


async def test_a_name_that_does_not_resolve_in_time_is_an_error_that_may_pass() -> None:
    asked = 0

    async def hangs(host: str, port: int) -> list[str]:
        nonlocal asked
        asked += 1
        await asyncio.Event().wait()
        return []

    async with transport("https://api.test", around=replace(world(), resolve=hangs)) as made:
        with pytest.raises(ProviderError, match="resolving .* timed out") as caught:
            await made.fetch("https://media.test/clip.mp4", Part())
    assert (caught.value.code, asked) == ("download", 3)
