"""What a vendor can do beyond submit, ask and fetch; and how a project's provider becomes a transport."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.diagnostics import ClipformError, ProviderError
from reconciler.providers.base import Cancelled, Failed, NotFound, PollTrouble, Reply, Request, Succeeded, Working
from reconciler.providers.capabilities import Balance, CancelRefused, Hosted, TaskList
from reconciler.spec.model import Provider
from reconciler.spec.project import ProviderConfig
from reconciler.spec.values import Secret
from reconciler.transport.account import environment_proxy, open_account
from tests.transport.kit import KEY, JumpClock, remote, submit, transport, world
from tests.transport.server import Script, answer, serve

pytestmark = pytest.mark.anyio

READY = {"access_token": KEY}


def listed(*ids: str) -> Script:
    """ChanJing's list with these tasks running."""
    tasks = [{"unique_id": task, "progress_desc": "Generating"} for task in ids]
    return answer(200, {"code": 0, "data": {"list": tasks, "page_info": {"total_count": len(ids)}}})


def alone(task: str, word: str = "Generating") -> Script:
    """ChanJing's one task."""
    return answer(
        200, {"code": 0, "data": {"unique_id": task, "progress_desc": word, "output_url": ["https://a.test/v"]}}
    )


async def test_polls_at_about_the_same_time_are_one_request() -> None:
    ids = [f"t-{n}" for n in range(120)]
    async with (
        serve(listed(*ids[:50]), listed(*ids[50:100]), listed(*ids[100:])) as server,
        transport(server.url, "chanjing", credentials=READY) as made,
    ):
        found = await asyncio.gather(*map(made.poll, ids))
    assert found == [Working()] * 120
    assert [len(seen.json["unique_ids"]) for seen in server.seen] == [50, 50, 20]


async def test_a_fault_over_one_list_leaves_nobody_else_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [f"t-{n}" for n in range(52)]
    async with (
        serve(listed(*ids[:50]), listed(*ids[50:])) as server,
        transport(server.url, "chanjing", credentials=READY) as made,
    ):
        faults, read = [RuntimeError("a bug")], vars(type(made.dialect))["read_list"]

        def fails_once(dialect: object, reply: Reply) -> object:
            if faults:
                raise faults.pop()
            return read(dialect, reply)

        monkeypatch.setattr(type(made.dialect), "read_list", fails_once)
        async with asyncio.timeout(60):
            found = await asyncio.gather(*map(made.poll, ids), return_exceptions=True)
    assert [type(answer) for answer in found] == [RuntimeError] * 50 + [Working] * 2


async def test_what_a_list_leaves_out_is_asked_for_by_itself() -> None:
    async with (
        serve(listed("t-1", "t-3"), alone("t-2", "Success")) as server,
        transport(server.url, "chanjing", credentials=READY) as made,
    ):
        found = await asyncio.gather(made.poll("t-1"), made.poll("t-2"), made.poll("t-3"))
    assert list(found) == [Working(), Succeeded("https://a.test/v"), Working()]
    assert [seen.method for seen in server.seen] == ["POST", "GET"]


async def test_a_lone_poll_is_a_poll() -> None:
    async with serve(alone("t-1")) as server, transport(server.url, "chanjing", credentials=READY) as made:
        assert await made.poll("t-1") == Working()
    assert server.seen[0].target == "/open/v1/ai_creation/task?unique_id=t-1"


async def test_a_list_in_trouble_is_trouble_for_all_and_for_now() -> None:
    async with (
        serve(answer(200, {"code": 50000}), listed("t-1", "t-2")) as server,
        transport(server.url, "chanjing", credentials=READY) as made,
    ):
        for kind in (PollTrouble, Working):
            found = await asyncio.gather(made.poll("t-1"), made.poll("t-2"))
            assert [type(answer) for answer in found] == [kind, kind]


async def test_one_who_gives_up_takes_nobody_along() -> None:
    async with serve(listed("t-1", "t-2")) as server, transport(server.url, "chanjing", credentials=READY) as made:
        first, second = (asyncio.create_task(made.poll(task)) for task in ("t-1", "t-2"))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == Working()
        assert first.cancelled() or first.cancelling()


async def test_closing_ends_the_wait_of_those_who_look() -> None:
    async with serve(listed()) as server, transport(server.url, "chanjing", credentials=READY) as made:
        looking = [asyncio.create_task(made.poll(f"t-{n}")) for n in range(3)]
        await asyncio.sleep(0)
        await made.aclose()
        found = await asyncio.gather(*looking, return_exceptions=True)
    assert all(isinstance(answer, asyncio.CancelledError) for answer in found)


async def test_an_answer_shows_no_secret_that_the_server_echoes() -> None:
    said = {"task_id": "t-1", "status": "TASK_STATUS_FAILED", "reason": f"key {KEY}, see https://a.test/?sig=presigned"}
    async with serve(answer(200, {"task": said})) as server, transport(server.url) as made:
        found = await made.poll("t-1")
        reply = await submit(made, Request("POST", "/x"))
    assert isinstance(found, Failed) and KEY not in found.message and "presigned" not in found.message
    assert KEY not in repr(reply)


async def test_a_balance_is_read_where_the_vendor_tells_it() -> None:
    async with serve(answer(200, {"code": 0, "data": {"available": 12.5}})) as server:
        async with transport(server.url, "jimmyai") as made:
            assert await made.balance() == Balance("12.5")
        async with transport(server.url) as made:
            assert await made.balance() is None


async def test_a_list_is_read_whole_or_not_at_all() -> None:
    pages = [
        answer(200, {"total": 250, "items": [{"id": f"t-{n}", "status": "running"} for n in range(start, start + 100)]})
        for start in (0, 99, 199)  # one task moved to the next page meanwhile
    ]
    clock = JumpClock()
    flex = answer(200, {"total": 0, "items": []})
    async with serve(*pages, flex) as server, transport(server.url, "ark", around=world(clock)) as made:
        found = await made.tasks()
    assert isinstance(found, TaskList) and found.complete
    assert clock.time >= 3.0, "a second passes between two of its list requests"
    assert len(found.tasks) == 299 == len({listed.task for listed in found.tasks})
    async with serve(pages[0], answer(404, {})) as server, transport(server.url, "ark") as made:
        assert isinstance(await made.tasks(), PollTrouble)
    async with serve(pages[0]) as server, transport(server.url) as made:
        assert await made.tasks() is None


@pytest.mark.parametrize(
    ("poll", "kind", "sent"),
    [
        (answer(200, {"id": "t", "status": "queued"}), Cancelled, True),
        (answer(200, {"id": "t", "status": "running"}), CancelRefused, False),
        (
            answer(200, {"id": "t", "status": "succeeded", "content": {"video_url": "https://a.test"}}),
            CancelRefused,
            False,
        ),
        (answer(200, {"id": "t", "status": "cancelled"}), Cancelled, False),
        (answer(404, {"error": {"code": "ResourceNotFound", "message": "no"}}), NotFound, False),
        (answer(400, {}), PollTrouble, False),
    ],
)
async def test_only_what_a_fresh_poll_calls_queued_is_cancelled(poll: Script, kind: type, sent: bool) -> None:
    clock = JumpClock()
    async with serve(poll, answer(200, {})) as server, transport(server.url, "ark", around=world(clock)) as made:
        assert isinstance(await made.cancel("t"), kind)
    assert [seen.method for seen in server.seen] == ["GET", "DELETE"][: 1 + sent]
    assert not clock.time, "nothing comes between the poll and the cancel"


async def test_a_cancel_is_sent_once() -> None:
    async with serve(answer(200, {"id": "t", "status": "queued"}), answer(503, {})) as server:
        async with transport(server.url, "ark") as made:
            assert isinstance(await made.cancel("t"), PollTrouble)
        async with transport(server.url) as made:
            assert await made.cancel("t") is None
    assert len(server.seen) == 2


# Uploads -------------------------------------------------------------------------------------

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
SHA = hashlib.sha256(PICTURE).hexdigest()


def picture(folder: Path, name: str = "my cat.PNG") -> Path:
    """A picture that somebody wants to send."""
    path = folder / name
    path.write_bytes(PICTURE)
    return path


async def test_a_form_carries_the_file_and_the_credentials(tmp_path: Path) -> None:
    async with (
        serve(answer(200, {"code": 20000, "data": {"url": "https://a.test/1.png"}})) as server,
        transport(server.url, "jimmyai") as made,
    ):
        found = await made.upload(picture(tmp_path), SHA, "image/png")
    assert isinstance(found, Hosted) and found.url == "https://a.test/1.png"
    seen = server.seen[0]
    assert KEY in seen.headers["authorization"]
    boundary = seen.headers["content-type"].partition("boundary=")[2].encode()
    head, _, rest = seen.body.partition(b"\r\n\r\n")
    about = f'Content-Disposition: form-data; name="file"; filename="{SHA[:32]}.png"\r\nContent-Type: image/png'
    assert head == b"--" + boundary + b"\r\n" + about.encode()
    assert rest == PICTURE + b"\r\n--" + boundary + b"--\r\n"
    assert b"cat" not in seen.body


async def test_bytes_go_to_the_storage_without_the_credentials(tmp_path: Path) -> None:
    clock = JumpClock()
    async with serve(answer(200)) as storage:
        slot = {"sign_url": f"{storage.url}/put?sig=x", "mime_type": "image/png", "file_id": "f-1", "full_path": ""}
        ready = {"id": "f-1", "status": 1, "full_path": "https://a.test/1.png"}
        scripts = [answer(200, {"code": 0, "data": data}) for data in (slot, {"id": "f-1", "status": 0}, ready)]
        async with (
            serve(*scripts) as server,
            transport(server.url, "chanjing", credentials=READY, around=world(clock)) as made,
        ):
            found = await made.upload(picture(tmp_path), SHA, "image/png")
    assert found.url == "https://a.test/1.png"
    (put,) = storage.seen
    assert (put.method, put.target, put.body) == ("PUT", "/put?sig=x", PICTURE)
    assert put.headers["content-type"] == "image/png"
    assert KEY.encode() not in storage.raw
    assert clock.time >= 10


async def test_what_cannot_be_uploaded_is_told(tmp_path: Path) -> None:
    path = picture(tmp_path)
    refused = answer(200, {"code": 20002, "msg": f"bad picture {KEY}"})
    async with serve(refused) as server, transport(server.url, "jimmyai") as made:
        with pytest.raises(ProviderError, match="my cat.PNG could not be published") as caught:
            await made.upload(path, SHA, "image/png")
        assert KEY not in caught.value.message
        with pytest.raises(ProviderError, match="changed while"):
            await made.upload(path, "0" * 64, "image/png")
        with pytest.raises(ProviderError, match="not a regular file"):
            await made.upload(Path("/dev/zero"), SHA, "image/png")
    async with serve(refused) as server, transport(server.url) as made:
        with pytest.raises(ProviderError, match="hosts no files"):
            await made.upload(path, SHA, "image/png")


async def test_a_slot_that_leads_inwards_is_not_used(tmp_path: Path) -> None:
    slot = {"sign_url": "https://10.0.0.1/put", "mime_type": "image/png", "file_id": "f-1", "full_path": ""}
    async with (
        serve(answer(200, {"code": 0, "data": slot})) as server,
        transport(server.url, "chanjing", credentials=READY) as made,
    ):
        with pytest.raises(ProviderError, match="not followed: it leads to 10.0.0.1"):
            await made.upload(picture(tmp_path), SHA, "image/png")


# From a project's provider -------------------------------------------------------------------


def provider(kind: str, **credentials: Secret | str) -> ProviderConfig:
    """A provider as a project declares it."""
    return ProviderConfig(
        "studio", Provider.model_construct(kind=kind, base_url="http://127.0.0.1:9/v1/", **credentials)
    )


def test_the_first_complete_set_of_credentials_is_used(anyio_backend: str) -> None:
    both = provider("chanjing", access_token=Secret("T"), app_id="app-1", secret_key=Secret("S"))
    environ = {"T": " token-of-the-user\n", "S": "secret-of-the-user"}
    for names, secret in (({"T", "S"}, "token-of-the-user"), ({"S"}, "secret-of-the-user")):
        account = open_account(both, remote("chanjing"), {name: environ[name] for name in names})
        assert account.base_url == "http://127.0.0.1:9/v1"
        assert account.secrets == (secret,)
        assert secret not in repr(account)


@pytest.mark.parametrize(
    ("config", "environ", "says"),
    [
        (provider("jiekou", api_key=Secret("K")), {}, "K is not set in the environment"),
        (provider("jiekou", api_key=Secret("K")), {"K": " "}, "K is not set in the environment"),
        (provider("jiekou", api_key=Secret("K")), {"K": "a\nb: c"}, "characters that no API key contains"),
        (provider("jiekou", api_key=Secret("K")), {"K": "clé"}, "characters that no API key contains"),
        (provider("jiekou"), {}, "no credentials are configured"),
        (provider("chanjing", app_id=Secret("A"), secret_key=Secret("S")), {}, "A and S are not set"),
    ],
)
def test_missing_credentials_are_named(
    config: ProviderConfig, environ: dict[str, str], says: str, anyio_backend: str
) -> None:
    with pytest.raises(ClipformError, match=says) as caught:
        open_account(config, remote(config.kind), environ)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("https://api.vendor.test", {}, None),
        ("https://api.vendor.test", {"HTTPS_PROXY": "http://p.test:3128"}, "http://p.test:3128"),
        ("https://api.vendor.test", {"https_proxy": "p.test:3128"}, "http://p.test:3128"),
        ("https://api.vendor.test", {"ALL_PROXY": "http://p.test:3128"}, "http://p.test:3128"),
        ("https://api.vendor.test", {"HTTPS_PROXY": "http://p.test", "NO_PROXY": "vendor.test"}, None),
        ("https://api.vendor.test", {"HTTP_PROXY": "http://p.test"}, None),
        ("http://127.0.0.1:80", {"HTTP_PROXY": "http://p.test"}, None),
        ("http://localhost", {"ALL_PROXY": "http://p.test"}, None),
    ],
)
def test_the_proxy_of_the_environment(
    url: str, environ: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy(url) == proxy


def test_another_sort_of_proxy_is_refused(monkeypatch: pytest.MonkeyPatch, anyio_backend: str) -> None:
    monkeypatch.setenv("https_proxy", "socks5://p.test:1080")
    with pytest.raises(ClipformError, match="not an HTTP proxy"):
        environment_proxy("https://api.vendor.test")


async def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with serve(answer(200, {})) as server, transport(server.url) as made:
            assert isinstance(await made.ask(Request("GET", "/x")), Reply)
    assert [record for record in caplog.records if record.name != "asyncio"] == []


def test_help_does_not_wait_for_httpx(anyio_backend: str) -> None:
    code = "import sys; from reconciler.cli.app import main; main(['--help']); sys.exit('httpx' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert found.returncode == 0, found.stderr.decode()


SIGNED = "https://files.test/a.png?X-Tos-Signature=canary7f3a9"


async def test_a_signed_link_in_a_vendors_error_is_told_without_its_query() -> None:
    facts = {"unique_id": "t-1", "progress_desc": "Fail", "err_msg": f"see {SIGNED}"}
    failed = answer(200, {"code": 0, "data": facts})
    async with serve(failed) as server, transport(server.url, "chanjing", credentials=READY) as made:
        found = await made.poll("t-1")
    assert isinstance(found, Failed)
    assert "canary7f3a9" not in repr(found) and "https://files.test/a.png?" in found.message


async def test_a_signed_link_in_a_refused_list_is_told_without_its_query() -> None:
    refused = answer(200, {"code": 40000, "msg": f"see {SIGNED}"})
    async with serve(*[refused] * 3) as server, transport(server.url, "chanjing", credentials=READY) as made:
        found = await made.tasks()
    assert isinstance(found, PollTrouble)
    assert "canary7f3a9" not in repr(found)


async def test_the_time_is_asked_for_without_the_credentials() -> None:
    at = "Date: Fri, 15 Jan 2027 08:01:00 GMT"  # a minute after the clock of these tests
    async with serve(answer(404, {}, at)) as server, transport(server.url) as made:
        assert await made.hello() == 60.0
    assert KEY not in repr(server.seen[0].headers)
