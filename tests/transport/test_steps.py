"""A vendor whose outcome is at another address, and whose history is at another host: both asked for with the key, and
only where that is the vendor's own."""

from __future__ import annotations

import asyncio

import pytest

from reconciler.providers.base import Accepted, PollTrouble, Reply, Request, Succeeded, Working
from reconciler.providers.capabilities import TaskList
from reconciler.transport.channel import Auth
from tests.transport.kit import KEY, submit, transport
from tests.transport.server import answer, serve

pytestmark = pytest.mark.anyio

TASK = "r-1@fal-ai/veo3.1"
AT = "/fal-ai/veo3.1/requests/r-1"
LINK = "https://v3.fal.media/files/x/output.mp4"
COMPLETED = answer(200, {"status": "COMPLETED"})


async def test_the_result_of_a_task_that_has_ended_is_asked_for_in_the_same_poll() -> None:
    async with (
        serve(answer(202, {"status": "IN_PROGRESS"}), COMPLETED, answer(200, {"video": {"url": LINK}})) as server,
        transport(server.url, "fal") as made,
    ):
        assert await made.poll(TASK) == Working()
        assert await made.poll(TASK) == Succeeded(LINK, life=604_800.0)
    assert [seen.target for seen in server.seen] == [f"{AT}/status", f"{AT}/status", AT]
    assert {seen.headers["authorization"] for seen in server.seen} == {f"Key {KEY}"}


async def test_polls_at_the_same_time_do_not_share_a_list_that_shows_only_what_has_ended() -> None:
    async with (
        serve(*[answer(202, {"status": "IN_QUEUE"})] * 3) as server,
        transport(server.url, "fal") as made,
    ):
        tasks = [f"r-{number}@fal-ai/veo3.1" for number in range(3)]
        assert await asyncio.gather(*map(made.poll, tasks)) == [Working(queued=True)] * 3
    assert {seen.target for seen in server.seen} == {f"/fal-ai/veo3.1/requests/r-{n}/status" for n in range(3)}


async def test_an_unreadable_result_is_asked_for_again() -> None:
    async with (
        serve(COMPLETED, answer(502, b"<html>"), answer(502, b"<html>"), answer(502, b"<html>")) as server,
        transport(server.url, "fal") as made,
    ):
        assert isinstance(await made.poll(TASK), PollTrouble)


async def test_the_addresses_of_a_reply_are_kept_only_at_the_base_url_that_was_asked() -> None:
    for home, task in (("", "r-1@fal-ai/veo3.1"), ("https://queue.fal.run", "r-1")):
        async with serve() as server, transport(server.url, "fal") as made:
            addresses = {name: f"{home or server.url}{AT}" for name in ("response_url", "status_url", "cancel_url")}
            ends = {"response_url": "", "status_url": "/status", "cancel_url": "/cancel"}
            body = {"request_id": "r-1", **{name: at + ends[name] for name, at in addresses.items()}}
            server.scripts = [answer(200, body)]
            reply = await submit(made, Request("POST", "/fal-ai/veo3.1", body={}))
            assert isinstance(reply, Reply)
            assert made.dialect.read_submit(reply) == Accepted(task)


async def test_the_pages_of_the_history_follow_its_cursor_for_all_models() -> None:
    def page(request: str, more: str = "") -> object:
        row = {"request_id": request, "endpoint_id": "fal-ai/veo3.1", "sent_at": "2026-11-30T10:00:00Z"}
        return {"items": [row], "has_more": bool(more), "next_cursor": more or None}

    replies = [answer(200, page("a", "c2")), answer(200, page("b")), answer(200, page("c"))]
    async with serve(*replies) as server, transport(server.url, "fal") as made:
        tasks = await made.tasks()
    assert isinstance(tasks, TaskList) and [task.task for task in tasks.tasks] == ["a", "b", "c"]
    assert ["cursor=c2" in seen.target for seen in server.seen] == [False, True, False]
    assert all(seen.target.startswith("/v1/models/requests/by-endpoint?") for seen in server.seen)


@pytest.mark.parametrize(
    ("base_url", "asked"),
    [("https://queue.fal.run", "https://api.fal.ai/v1/x"), ("https://proxy.example", "https://proxy.example/v1/x")],
)
async def test_the_other_host_gets_the_key_only_from_the_vendor_s_own_address(base_url: str, asked: str) -> None:
    async with transport(base_url, "fal") as made:
        outgoing = made._channel._outgoing(Request("GET", "/v1/x", host="api.fal.ai"), Auth((("a", KEY),)))
        assert outgoing.url == asked
