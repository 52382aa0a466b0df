"""A token that is fetched: one for all tasks and processes, kept where only its user can read it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from email.utils import formatdate
from pathlib import Path

import pytest

from reconciler.diagnostics import ProviderError
from reconciler.providers.base import PollTrouble, Refusal, Rejected, Reply, Request
from reconciler.transport.tokens import cache_folder
from tests.transport.kit import JumpClock, remote, submit, transport, world
from tests.transport.server import CLOSE, READ, Script, answer, serve

pytestmark = pytest.mark.anyio

SECRET = "chan-jing-secret"
ACCOUNT = {"app_id": "app-1", "secret_key": SECRET}
START = 1_800_000_000.0
OK = answer(200, {"code": 0, "data": "6b1f2a34-0000-4000-8000-000000000000"})
STALE = answer(200, {"code": 10400, "msg": "AccessToken verification failed"})
POLL, SUBMIT = Request("GET", "/poll"), Request("POST", "/submit", body={})


def token(text: str, expires: float = START + 86_400, *headers: str) -> Script:
    """A fresh token."""
    return answer(200, {"code": 0, "data": {"access_token": text, "expire_in": int(expires)}}, *headers)


def kept(folder: Path) -> Path:
    """The file that holds the token."""
    (found,) = (folder / "tokens").glob("*.json")
    return found


async def test_one_fetch_serves_all_tasks(tmp_path: Path) -> None:
    async with (
        serve(token("token-one"), OK) as server,
        transport(server.url, "chanjing", credentials=ACCOUNT, around=world(cache=tmp_path)) as made,
    ):
        await asyncio.gather(*(made.ask(POLL) for _ in range(20)), submit(made, SUBMIT))
    first, *others = server.seen
    assert first.json == ACCOUNT and "access_token" not in first.headers
    assert len(others) == 21
    assert {seen.headers["access_token"] for seen in others} == {"token-one"}
    assert all(SECRET.encode() not in seen.body for seen in others)


async def test_one_fetch_serves_all_processes(tmp_path: Path) -> None:
    async with serve(token("token-one"), OK) as server:
        for _ in range(3):
            async with transport(server.url, "chanjing", credentials=ACCOUNT, around=world(cache=tmp_path)) as made:
                await made.ask(POLL)
    assert [seen.target for seen in server.seen].count("/open/v1/access_token") == 1


async def test_the_file_is_the_users_alone_and_says_nothing_else(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    async with (
        serve(token("token-one"), OK) as server,
        transport(server.url, "chanjing", credentials=ACCOUNT, around=world(cache=cache)) as made,
    ):
        await made.ask(POLL)
        assert "token-one" not in f"{made!r} {vars(made)} {vars(made._channel)} {made.redact('token-one')}"
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert (cache / "tokens").stat().st_mode & 0o777 == 0o700
    assert json.loads(kept(cache).read_text()) == {"token": "token-one", "renew": START + 86_100}
    everything = b"".join(path.read_bytes() + path.name.encode() for path in files)
    assert SECRET.encode() not in everything and b"app-1" not in everything


@pytest.mark.parametrize("harm", ["open to others", "not JSON", "a link", "another shape", "empty"])
async def test_a_file_that_cannot_be_believed_is_replaced(harm: str, tmp_path: Path) -> None:
    async with serve(token("token-one"), OK, token("token-two"), OK) as server:
        async with transport(server.url, "chanjing", credentials=ACCOUNT, around=world(cache=tmp_path)) as made:
            await made.ask(POLL)
        path = kept(tmp_path)
        match harm:
            case "open to others":
                path.chmod(0o644)
            case "a link":
                other = path.rename(tmp_path / "elsewhere.json")
                path.symlink_to(other)
            case _:
                path.write_text({"not JSON": "{", "another shape": '{"token": 5, "renew": []}', "empty": ""}[harm])
        async with transport(server.url, "chanjing", credentials=ACCOUNT, around=world(cache=tmp_path)) as made:
            await made.ask(POLL)
    assert server.seen[-1].headers["access_token"] == "token-two"
    assert "token-two" in kept(tmp_path).read_text() and not kept(tmp_path).is_symlink()


@pytest.mark.parametrize(
    ("expires", "date", "early", "late"),
    [
        (START + 86_400, START, 86_000, 200),  # a point in time
        (7200, START, 6800, 200),  # a span
        (START - 5e6 + 86_400, START - 5e6, 86_000, 200),  # our clock is two months ahead
        (START + 100, START, 40, 20),  # lives for less than the margin
    ],
)
async def test_a_token_is_renewed_early(expires: float, date: float, early: float, late: float) -> None:
    clock = JumpClock()
    fresh = token("token-one", expires, f"Date: {formatdate(date, usegmt=True)}")
    async with (
        serve(fresh, OK, OK, token("token-two"), OK) as server,
        transport(server.url, "chanjing", credentials=ACCOUNT, around=world(clock)) as made,
    ):
        for wait in (0, early, late):
            clock.time += wait
            await made.ask(POLL)
    used = [seen.headers.get("access_token") for seen in server.seen]
    assert used == [None, "token-one", "token-one", None, "token-two"]


async def test_a_vendor_may_give_the_same_token_again() -> None:
    clock = JumpClock()
    async with (
        serve(token("token-one"), OK, token("token-one", START + 200_000), OK) as server,
        transport(server.url, "chanjing", credentials=ACCOUNT, around=world(clock)) as made,
    ):
        await made.ask(POLL)
        clock.time += 86_400
        await made.ask(POLL)
    assert [seen.headers.get("access_token") for seen in server.seen] == [None, "token-one"] * 2


async def test_a_token_that_is_turned_down_is_renewed_once_and_the_request_sent_again(tmp_path: Path) -> None:
    for request in (POLL, SUBMIT):
        async with serve(token("token-one"), STALE, token("token-two"), OK) as server:
            around = world(cache=tmp_path / request.method)
            async with transport(server.url, "chanjing", credentials=ACCOUNT, around=around) as made:
                found = await (made.ask(request) if request is POLL else submit(made, request))
        assert isinstance(found, Reply) and found.body == {"code": 0, "data": "6b1f2a34-0000-4000-8000-000000000000"}
        assert [seen.headers.get("access_token") for seen in server.seen] == [None, "token-one", None, "token-two"]


async def test_a_token_that_is_turned_down_twice_is_the_users_affair() -> None:
    async with (
        serve(token("token-one"), STALE, token("token-two"), STALE) as server,
        transport(server.url, "chanjing", credentials=ACCOUNT) as made,
    ):
        found = await submit(made, SUBMIT)
    assert isinstance(found, Reply)
    said = remote("chanjing").read_submit(found)
    assert isinstance(said, Rejected) and said.refusal is Refusal.TOKEN
    assert len(server.seen) == 4


async def test_uploads_that_fail_under_the_code_of_a_bad_token_renew_it_once() -> None:
    slot = Request("GET", "/slot", (("name", "a.png"),))
    async with (
        serve(token("token-one"), STALE, token("token-two"), STALE) as server,
        transport(server.url, "chanjing", credentials=ACCOUNT) as made,
    ):
        for _ in range(3):
            assert isinstance(await made.ask(slot), Reply)
    assert [seen.headers.get("access_token") for seen in server.seen].count(None) == 2
    assert len(server.seen) == 6


async def test_a_submit_with_an_unclear_answer_is_not_sent_again() -> None:
    async with (
        serve(token("token-one"), answer(200, {"code": 50000}), OK) as server,
        transport(server.url, "chanjing", credentials=ACCOUNT) as made,
    ):
        await submit(made, SUBMIT)
    assert len(server.seen) == 2


async def test_many_that_are_turned_down_at_once_renew_once() -> None:
    async with (
        serve(token("token-one"), *[STALE] * 8, token("token-two"), OK) as server,
        transport(server.url, "chanjing", credentials=ACCOUNT) as made,
    ):
        await asyncio.gather(*(made.ask(POLL) for _ in range(8)))
    assert [seen.target for seen in server.seen].count("/open/v1/access_token") == 2


async def test_what_another_process_fetched_meanwhile_is_used(tmp_path: Path) -> None:
    async with (
        serve(token("token-one"), OK, STALE, OK) as server,
        transport(server.url, "chanjing", credentials=ACCOUNT, around=world(cache=tmp_path)) as made,
    ):
        await made.ask(POLL)
        kept(tmp_path).write_text(json.dumps({"token": "token-two", "renew": START + 9999}))
        await made.ask(POLL)
    assert [seen.headers.get("access_token") for seen in server.seen] == [None, "token-one", "token-one", "token-two"]


async def test_a_fetch_waits_for_the_one_of_another_process(tmp_path: Path) -> None:
    clock = JumpClock()
    async with serve(token("token-one"), OK) as server:
        around = world(clock, cache=tmp_path)
        async with transport(server.url, "chanjing", credentials=ACCOUNT, around=around) as made:
            await made.ask(POLL)
        path = kept(tmp_path)
        path.unlink()
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR)
        fcntl.flock(lock, fcntl.LOCK_EX)
        async with transport(server.url, "chanjing", credentials=ACCOUNT, around=around) as made:
            asking = asyncio.create_task(made.ask(POLL))
            while 0.1 not in clock.naps:  # noqa: ASYNC110  # a clock has no events
                await asyncio.sleep(0)
            path.write_text(json.dumps({"token": "token-two", "renew": START + 9999}))
            path.chmod(0o600)
            os.close(lock)
            await asking
    assert server.seen[-1].headers["access_token"] == "token-two"
    assert [seen.target for seen in server.seen].count("/open/v1/access_token") == 1


async def test_credentials_that_are_refused_are_told_before_anything_is_sent() -> None:
    refused = answer(200, {"code": 10400, "msg": f"bad {SECRET}"})
    async with serve(refused) as server, transport(server.url, "chanjing", credentials=ACCOUNT) as made:
        with pytest.raises(ProviderError) as caught:
            async with made.slot():
                raise AssertionError("no slot is given")
        assert caught.value.code == "credentials" and SECRET not in caught.value.message
        found = await made.ask(POLL)
        assert isinstance(found, PollTrouble) and found.refusal is Refusal.CREDENTIALS
    assert {seen.target for seen in server.seen} == {"/open/v1/access_token"}


async def test_no_token_for_now_is_told_too() -> None:
    async with serve((READ, CLOSE)) as server, transport(server.url, "chanjing", credentials=ACCOUNT) as made:
        with pytest.raises(ProviderError) as caught:
            async with made.slot():
                raise AssertionError("no slot is given")
        assert caught.value.code == "token"


async def test_a_ready_token_is_used_as_it_is(tmp_path: Path) -> None:
    credentials = {"access_token": "ready-made-token"}
    async with (
        serve(STALE) as server,
        transport(server.url, "chanjing", credentials=credentials, around=world(cache=tmp_path)) as made,
    ):
        await made.ask(POLL)
        await submit(made, SUBMIT)
    assert [seen.headers["access_token"] for seen in server.seen] == ["ready-made-token"] * 2
    assert not (tmp_path / "tokens").exists()


async def test_a_folder_that_cannot_be_written_costs_only_the_sharing(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    async with (
        serve(token("token-one"), OK) as server,
        transport(server.url, "chanjing", credentials=ACCOUNT, around=world(cache=blocked)) as made,
    ):
        for _ in range(3):
            assert isinstance(await made.ask(POLL), Reply)
    assert len(server.seen) == 4


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"CLIPFORM_CACHE": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/c"),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/clipform"),
        ({"XDG_CACHE_HOME": "x", "HOME": "/h"}, "/h/.cache/clipform"),
        ({"HOME": "/h"}, "/h/.cache/clipform"),
        ({}, None),
    ],
)
def test_where_a_token_is_kept(environ: dict[str, str], folder: str | None, anyio_backend: str) -> None:
    assert cache_folder(environ) == (Path(folder) if folder else None)
