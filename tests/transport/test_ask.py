"""Requests that may be repeated: how often, how soon, and when nobody is asked at all."""

from __future__ import annotations

import asyncio
import random
import sys
from email.utils import formatdate

import pytest

from reconciler.diagnostics import ProviderError
from reconciler.providers.base import NotSent, Pace, PollTrouble, Reply, Request
from reconciler.transport.pacing import DAY, LONGEST
from tests.transport.kit import KEY, PACE, JumpClock, submit, transport, world
from tests.transport.server import CLOSE, HANG, READ, RESET, Script, answer, http, serve

pytestmark = pytest.mark.anyio

POLL = Request("GET", "/v3/async/task-result", (("task_id", "t-1"),))
OK = {"task": {"task_id": "t-1", "status": "TASK_STATUS_QUEUED"}}
SERVER_NOW = 1_700_000_000.0  # nowhere near the test's own clock


@pytest.mark.parametrize(
    "bad",
    [
        (READ, CLOSE),
        (READ, RESET),
        (READ, http(200, b"{}", length=99), CLOSE),
        *(answer(status, {"code": status}) for status in (500, 502, 503, 504)),
    ],
    ids=lambda script: str(script[1:])[:40],
)
async def test_a_fault_is_asked_again(bad: Script) -> None:
    clock = JumpClock()
    async with serve(bad, bad, answer(200, OK)) as server, transport(server.url, around=world(clock)) as made:
        found = await made.ask(POLL)
        assert made.retry_budget.tokens == 19  # two faults, one success
    assert isinstance(found, Reply) and found.body == OK
    assert server.exchanges == 3
    assert 0 < sum(clock.naps) < 5


async def test_a_fault_that_stays_is_trouble() -> None:
    async with serve((READ, CLOSE)) as server, transport(server.url) as made:
        found = await made.ask(POLL)
    assert isinstance(found, PollTrouble) and "disconnected" in found.message
    assert len(server.seen) == 3


async def test_faults_have_a_budget_and_a_timeout_costs_twice() -> None:
    async with serve((READ, CLOSE)) as server, transport(server.url) as made:
        made.retry_budget.tokens = 5
        for _ in range(5):
            assert isinstance(await made.ask(POLL), PollTrouble)
        assert made.retry_budget.tokens == 0
    assert len(server.seen) == 5 + 5
    async with serve((READ, HANG)) as server, transport(server.url) as made:
        made.retry_budget.tokens = 2
        assert isinstance(await made.ask(POLL), PollTrouble)
        assert made.retry_budget.tokens == 0
    assert len(server.seen) == 2


@pytest.mark.parametrize("status", [200, 301, 307, 400, 401, 403, 404, 409])
async def test_other_answers_are_the_dialects_affair(status: int) -> None:
    async with (
        serve(answer(200, OK)) as sink,
        serve(answer(status, {}, f"Location: {sink.url}")) as server,
        transport(server.url) as made,
    ):
        found = await made.ask(POLL)
    assert isinstance(found, Reply) and found.status == status
    assert (
        len(server.seen) == 1 and not sink.seen
    )  # requests: a connection can be a stranger's who had this port before


@pytest.mark.parametrize(
    ("hint", "least", "most"),
    [
        ("7", 7, 9),
        ("0.5", 2, 4),  # less than our own backoff
        ("0", 2, 4),
        ("", 2, 4),
        ("-1", 2, 4),
        ("soon", 2, 4),
        ("nan", 2, 4),
        ("1e309", 2, 4),
        ("9" * 5000, 2, 4),
        (formatdate(SERVER_NOW + 20, usegmt=True), 20, 23),
        (formatdate(SERVER_NOW - 20, usegmt=True), 2, 4),
        ("Mon, 99 Foo 2024 00:00:00 GMT", 2, 4),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_after_a_429_nothing_is_asked_before_the_hint(hint: str, least: float, most: float) -> None:
    clock = JumpClock()
    busy = answer(429, {}, f"Retry-After: {hint}", f"Date: {formatdate(SERVER_NOW, usegmt=True)}")
    async with serve(busy, answer(200, OK)) as server, transport(server.url, around=world(clock)) as made:
        first = await made.ask(POLL)
        assert isinstance(first, Reply) and first.status == 429
        before = clock.time
        assert isinstance(await made.ask(POLL), Reply)
        assert least < clock.time - before < most
    assert server.exchanges == 2


@pytest.mark.parametrize(
    "hint", ["901", "86400", "1e300", formatdate(SERVER_NOW + 3600, usegmt=True), "Fri, 31 Dec 9999 23:59:59 GMT"]
)
async def test_a_pause_of_hours_is_told_and_not_waited_for(hint: str) -> None:
    clock = JumpClock()
    busy = answer(429, {}, f"Retry-After: {hint}", f"Date: {formatdate(SERVER_NOW, usegmt=True)}")
    async with serve(busy, answer(200, OK)) as server, transport(server.url, around=world(clock)) as made:
        for found in (await made.ask(POLL), await made.ask(POLL)):
            assert isinstance(found, PollTrouble) and "asked to wait until 2027-01-1" in found.message
            assert found.retry_after is not None and LONGEST < found.retry_after <= DAY * 1.1
        with pytest.raises(ProviderError, match="asked to wait until") as caught:
            await submit(made, Request("POST", "/x"))
        assert caught.value.code == "paused"
        assert server.exchanges == 1
        clock.time += DAY * 1.2
        assert isinstance(await made.ask(POLL), Reply)


async def test_a_503_with_a_hint_is_a_pause_too() -> None:
    clock = JumpClock()
    async with (
        serve(answer(503, {}, "Retry-After: 9"), answer(200, OK)) as server,
        transport(server.url, around=world(clock)) as made,
    ):
        assert isinstance(await made.ask(POLL), Reply)
        assert isinstance(await made.ask(POLL), Reply)
    assert clock.time > 9
    assert server.exchanges == 2


async def test_busy_in_the_body_counts_like_a_429() -> None:
    clock = JumpClock()
    busy = answer(200, {"code": 40001, "msg": "超出请求频率"})
    async with serve(busy, answer(200, {"code": 0, "data": {}})) as server:
        credentials = {"access_token": KEY}
        async with transport(server.url, "chanjing", credentials=credentials, around=world(clock)) as made:
            await made.ask(POLL)
            await made.ask(POLL)
    assert clock.time > 2


async def test_requests_are_spaced() -> None:
    clock = JumpClock()
    pace = Pace(requests_per_second=0.5)
    async with serve(answer(200, OK)) as server, transport(server.url, around=world(clock), pace=pace) as made:
        await asyncio.gather(*(made.ask(POLL) for _ in range(5)))
    assert clock.time >= 8


async def test_a_cancel_counts_against_the_pace() -> None:
    clock = JumpClock()
    async with (
        serve(answer(200, {"id": "t", "status": "queued"}), answer(200, {})) as server,
        transport(server.url, "ark", around=world(clock), pace=Pace(requests_per_second=0.1)) as made,
    ):
        await made.cancel("t")
        clock.time += 9
        await made.ask(Request("GET", "/x"))
    assert clock.time == 10


async def test_polls_keep_their_connection_and_forget_cookies() -> None:
    async with serve(answer(200, OK, "Set-Cookie: a=b")) as server, transport(server.url) as made:
        for _ in range(5):
            found = await made.ask(POLL)
            assert isinstance(found, Reply) and "set-cookie" not in found.headers
    assert server.connections == 1
    assert all("cookie" not in seen.headers for seen in server.seen)


async def test_a_submit_takes_no_kept_connection() -> None:
    async with serve(answer(200, OK)) as server, transport(server.url) as made:
        await made.ask(POLL)
        await submit(made, Request("POST", "/x"))
        await made.ask(POLL)
    assert server.connections == 2


async def test_a_kept_connection_that_the_server_dropped_is_replaced() -> None:
    async with serve((READ, http(200, OK), CLOSE)) as server, transport(server.url) as made:
        for _ in range(4):
            assert isinstance(await made.ask(POLL), Reply)
        assert made.retry_budget.tokens == 20
    assert server.connections == 4


async def test_an_answer_that_is_too_large_is_trouble() -> None:
    async with serve((READ, http(200, bytes(9 << 20)))) as server, transport(server.url) as made:
        found = await made.ask(POLL)
    assert isinstance(found, PollTrouble) and "larger than" in found.message


async def test_cancelling_poisons_nothing() -> None:
    """With one shared httpx client of a few connections, this leaves it unusable for ever: a request that is cancelled
    just as it is given a connection keeps the place of it. Ours has no such places."""
    dice = random.Random(7)
    async with serve(answer(200, OK)) as server, transport(server.url, pace=Pace(requests_per_second=1e6)) as made:
        for _ in range(20):
            asking = [asyncio.create_task(made.ask(POLL)) for _ in range(60)]
            for _ in range(dice.randrange(40)):
                await asyncio.sleep(0)
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        found = await asyncio.wait_for(asyncio.gather(*(made.ask(POLL) for _ in range(100))), 100)
        assert all(isinstance(reply, Reply) for reply in found)


async def test_a_thousand_askers_need_few_connections() -> None:
    async with serve(answer(200, OK)) as server, transport(server.url, pace=Pace(requests_per_second=1e6)) as made:
        found = await asyncio.gather(*(made.ask(POLL) for _ in range(1000)))
    assert all(isinstance(reply, Reply) for reply in found)
    assert server.connections <= 16


async def test_a_request_searches_no_path_for_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """httpcore imports what is not installed at each lock and reading of a connection."""
    searched: list[str] = []

    class Search:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> None:
            searched.append(name)

    async with serve(answer(200, OK)) as server, transport(server.url) as made:
        await made.ask(POLL)  # what is imported once
        monkeypatch.setattr(sys, "meta_path", [Search, *sys.meta_path])
        await made.ask(POLL)
    assert searched == []


async def test_submits_ramp_up_and_fall_back() -> None:
    yes, busy = answer(200, {"task_id": "t"}), answer(429, {"code": 429, "reason": "RATE_LIMIT_EXCEEDED"})
    told = answer(429, {"code": 429, "reason": "RATE_LIMIT_EXCEEDED"}, "Retry-After: 60")
    widths = []
    async with serve(yes, yes, yes, yes, busy, yes, yes, told) as server, transport(server.url, pace=PACE) as made:
        for _ in range(8):
            await submit(made, Request("POST", "/x"))
            widths.append(made.ramp.allowed)
    assert widths == [2, 3, 4, 4, 2, 3, 4, 1]


async def test_a_slot_is_all_the_waiting_there_is() -> None:
    clock = JumpClock()
    async with (
        serve(answer(429, {}, "Retry-After: 100"), answer(200, {"task_id": "t"})) as server,
        transport(server.url, around=world(clock)) as made,
    ):
        await submit(made, Request("POST", "/x"))
        async with made.slot() as send:
            before = clock.time
            assert before > 100
            assert isinstance(await send(Request("POST", "/x")), Reply)
        assert clock.time == before


async def test_a_slot_is_no_leave_to_send_into_a_pause() -> None:
    async with serve(answer(429, {}, "Retry-After: 100")) as server, transport(server.url) as made:
        made.ramp.allowed = 2
        async with made.slot() as send:
            await submit(made, Request("POST", "/x"))
            assert isinstance(await send(Request("POST", "/x")), NotSent)
    assert len(server.seen) == 1


async def test_no_more_submits_at_once_than_the_ramp_is_wide() -> None:
    async with serve(answer(200, {"task_id": "t"})) as server, transport(server.url, pace=PACE) as made:
        most = 0

        async def one() -> None:
            nonlocal most
            async with made.slot() as send:
                most = max(most, made.ramp.active)
                assert made.ramp.active <= made.ramp.allowed
                await send(Request("POST", "/x"))

        await asyncio.gather(*(one() for _ in range(30)))
    assert most == PACE.concurrency
