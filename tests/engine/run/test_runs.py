"""One run and the next: interrupts, failures, refusals, odd answers. Nothing is paid twice."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from reconciler.diagnostics import ProviderError, StateLocked, UsageError
from reconciler.engine.operations import resolve
from reconciler.engine.run.session import open_session
from reconciler.events import EventKind, Summary
from reconciler.plan.remedies import command_of
from reconciler.project.model import Choice
from reconciler.records import State
from reconciler.state.budget import NewAttempt
from tests.reliability.simulator.sim import HEAD, ONE, Sim
from tests.reliability.simulator.vendor import FakeTransport

ONE_BY_ONE = HEAD.replace("kind: fake,", "kind: fake, concurrency: 1,")
PAIR = "clips:\n  hero: {prompt: a lamp}\n  intro: {prompt: a candle}\n"
CHAIN = "clips:\n  hero: {prompt: a lamp}\n  next: {prompt: it falls, first_frame: '${clips.hero.last_frame}'}\n"


def results(summary: Summary) -> dict[str, str]:
    return {outcome.name: outcome.result.value for outcome in summary.outcomes}


# --- interrupts -----------------------------------------------------------------------------


def test_an_interrupt_lets_the_open_submit_be_recorded_and_starts_no_other(sim: Sim) -> None:
    sim.write(ONE_BY_ONE + PAIR)
    sim.server.at["submit", "hero"] = lambda: signal.raise_signal(signal.SIGINT)
    summary = sim.apply()
    assert (summary.interrupted, summary.exit_code) == (True, 130)
    assert results(summary) == {"hero": "left", "intro": "skipped"}
    assert sim.states() == ["accepted"]
    assert sim.server.submits("intro") == 0
    sim.server.heal()
    assert results(sim.apply()) == {"hero": "succeeded", "intro": "succeeded"}
    assert (sim.server.submits("hero"), sim.server.submits("intro")) == (1, 1)
    sim.rest()


@pytest.mark.parametrize("when", ["poll", "fetch"])
def test_an_interrupt_later_leaves_what_is_bought_to_the_next_run(when: str, sim: Sim) -> None:
    sim.server.at[when, "hero"] = lambda: signal.raise_signal(signal.SIGTERM)
    assert sim.apply().exit_code == 130
    sim.rest()
    assert sim.states() == ["done"]
    assert len(sim.server.ledger) == 1


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_cancelled_submit_still_records_its_task(times: int, sim: Sim) -> None:
    def cancel(left: int) -> None:
        for task in asyncio.all_tasks():
            if getattr(task.get_coro(), "__qualname__", "") == "Executor._make":
                task.cancel()
        if left > 1:
            asyncio.get_running_loop().call_soon(cancel, left - 1)

    sim.server.at["submit", "hero"] = lambda: cancel(times)
    with pytest.raises(asyncio.CancelledError):
        sim.apply()
    assert [attempt.task for attempt in sim.attempts()] == ["task-1"]
    sim.rest()
    assert len(sim.server.ledger) == 1


# --- failures beside other clips ------------------------------------------------------------


def test_a_failed_clip_stops_nobody_but_those_that_need_it(sim: Sim) -> None:
    sim.write(HEAD + CHAIN + "  intro: {prompt: a candle}\n")
    sim.server.plan("hero", submit=["refuse-input"])
    summary = sim.apply()
    assert results(summary) == {"hero": "failed", "next": "skipped", "intro": "succeeded"}
    assert summary.exit_code == 3
    assert "needs hero" in next(o.message for o in summary.outcomes if o.name == "next")
    assert sim.server.submits("next") == 0


def test_fail_fast_starts_nothing_after_a_failure(sim: Sim) -> None:
    sim.write(ONE_BY_ONE + PAIR)
    sim.server.plan("hero", submit=["refuse-input"])
    summary = sim.apply(fail_fast=True)
    assert results(summary) == {"hero": "failed", "intro": "skipped"}
    assert sim.server.submits("intro") == 0


@pytest.mark.parametrize("word", ["refuse-credentials", "refuse-account"])
def test_a_refused_account_stops_that_provider_alone(word: str, sim: Sim) -> None:
    sim.write(ONE_BY_ONE + PAIR + "  away: {prompt: a torch, provider: other}\n")
    sim.server.plan("hero", submit=[word])
    summary = sim.apply()
    assert results(summary) == {"hero": "failed", "intro": "skipped", "away": "succeeded"}
    assert summary.refused is (word == "refuse-credentials")
    assert sim.server.submits("intro") == 0
    sim.rest()
    assert len(sim.server.ledger) == 3


@pytest.mark.parametrize(
    ("code", "ends"), [("credentials", ("failed", True)), ("paused", ("skipped", False)), ("token", ("skipped", False))]
)
def test_without_a_slot_nothing_is_sent_and_only_wrong_credentials_are_a_refusal(
    code: str, ends: tuple[str, bool], sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def slot(transport: FakeTransport) -> AsyncIterator[object]:
        if code:
            raise ProviderError("no slot", code=code)
        yield

    monkeypatch.setattr(FakeTransport, "slot", slot)
    summary = sim.apply()
    assert (results(summary)["hero"], summary.refused) == ends
    assert sim.server.count("submit") == 0


def test_a_task_that_is_bought_is_collected_though_the_account_is_refused_meanwhile(sim: Sim) -> None:
    sim.write(HEAD + PAIR)
    sim.server.plan("intro", submit=["refuse-credentials"])
    assert results(sim.apply()) == {"hero": "succeeded", "intro": "failed"}


def test_detached_tasks_are_collected_by_a_later_run(sim: Sim) -> None:
    sim.write(HEAD + PAIR)
    summary = sim.apply(detach=True)
    assert (results(summary), summary.exit_code) == ({"hero": "left", "intro": "left"}, 0)
    assert (sim.server.count("submit"), sim.server.count("poll")) == (2, 0)
    assert results(sim.apply()) == {"hero": "succeeded", "intro": "succeeded"}
    assert sim.server.count("submit") == 2


def test_a_refusal_for_good_is_not_asked_again_until_the_clip_changes(sim: Sim) -> None:
    sim.server.plan("hero", submit=["refuse-moderation"])
    sim.apply()
    sim.server.heal()
    assert results(sim.apply()) == {"hero": "blocked"}
    assert sim.server.count("submit") == 1
    sim.write(ONE.replace("a lamp", "a torch"))
    assert results(sim.apply()) == {"hero": "succeeded"}


@pytest.mark.parametrize("word", ["refuse-busy", "not-sent"])
def test_what_was_surely_not_bought_is_tried_again_a_few_times_and_then_told(word: str, sim: Sim) -> None:
    sim.server.plan("hero", submit=[f"*{word}"])
    summary = sim.apply()
    assert results(summary) == {"hero": "failed"}
    assert 1 < sim.server.count("submit") < 10
    assert set(sim.states()) == {"refused" if word == "refuse-busy" else "not_sent"}
    sim.rest()
    assert len(sim.server.ledger) == 1


# --- odd answers ----------------------------------------------------------------------------


def test_another_video_than_asked_for_is_flagged_and_kept(sim: Sim) -> None:
    sim.server.plan("hero", fetch=["wrong"])
    assert results(sim.apply()) == {"hero": "succeeded"}
    assert "asked for 1 s, got 3.00 s" in sim.notes.text()
    assert sim.output("renders/hero.mp4") == sim.server.content("task-1", "wrong")
    sim.rest()
    assert len(sim.server.ledger) == 1


def test_not_found_counts_only_after_a_minute(sim: Sim) -> None:
    sim.server.plan("hero", poll=["not-found"] * 4)  # 5 s, then ever slower: not yet a minute
    assert results(sim.apply()) == {"hero": "succeeded"}
    sim.write(ONE.replace("a lamp", "a torch"))
    sim.server.plan("hero", poll=["*not-found"])
    began = sim.clock.time
    assert results(sim.apply()) == {"hero": "blocked"}
    assert sim.states()[-1] == "vanished"
    assert sim.clock.time - began >= 60


def test_a_task_past_its_deadline_is_stalled_and_collected_when_it_ends(sim: Sim) -> None:
    sim.write(ONE.replace("timeout: 3m", "timeout: 24h"))
    sim.server.plan("hero", poll=["*working"])
    summary = sim.apply()
    assert (results(summary), summary.exit_code) == ({"hero": "blocked"}, 3)
    assert sim.states() == ["stalled"]
    polls = sim.server.count("poll")
    assert results(sim.apply()) == {"hero": "blocked"}
    assert sim.server.count("poll") == polls + 1  # it looks, and leaves
    sim.server.heal()
    assert results(sim.apply()) == {"hero": "succeeded"}
    assert sim.server.count("submit") == 1


@pytest.mark.parametrize(
    ("word", "state"), [("dead", "result_expired"), ("short", "quarantined"), ("junk", "quarantined")]
)
def test_a_result_that_cannot_be_had_is_put_aside_after_three_tries(word: str, state: str, sim: Sim) -> None:
    sim.server.plan("hero", fetch=[f"*{word}"])
    summary = sim.apply()
    assert (results(summary), summary.exit_code) == ({"hero": "blocked"}, 3)
    assert sim.states() == [state]
    assert sim.server.count("fetch") == 3
    kept = [path.read_bytes() for path in (sim.root / "state").rglob("*attempt-1*")]
    assert kept == ([] if word == "dead" else [sim.server.content("task-1", word)])
    sim.rest()
    assert sim.server.count("submit") == 1


@pytest.mark.parametrize("word", ["trouble", "working", "not-found", "other-id"])
def test_a_finished_task_whose_link_does_not_come_is_not_asked_for_ever(word: str, sim: Sim) -> None:
    sim.server.plan("hero", poll=["done", f"*{word}"], fetch=["dead"])
    assert sim.apply().exit_code == 3
    assert sim.server.count("poll") < 40
    assert len(sim.server.ledger) == 1


def test_an_id_that_is_another_clip_s_leaves_this_one_in_doubt(sim: Sim) -> None:
    sim.write(ONE_BY_ONE + PAIR)
    sim.server.plan("intro", submit=["twin"])
    summary = sim.apply()
    assert summary.exit_code == 3
    assert results(summary)["hero"] == "succeeded"
    assert sim.states("intro") == ["uncertain"]  # at once, not only once another run begins
    assert results(sim.apply())["intro"] == "blocked"
    assert sim.states("intro") == ["uncertain"]
    assert sim.server.submits("intro") == 1


def test_where_two_takes_wait_each_way_out_names_its_own(sim: Sim) -> None:
    sim.write(ONE_BY_ONE + "clips:\n  hero: {prompt: a lamp, takes: 2}\n")
    sim.server.plan(submit=["*unknown-after"])
    told = {outcome.take: outcome.help.splitlines() for outcome in sim.apply().outcomes}
    plan = sim.workspace.plan(Choice(), sim.workspace.load()).plan
    assert {step.take: list(step.way_out) for step in plan.steps} == told
    with open_session(sim.workspace, "resolve") as session:
        for take, lines in told.items():
            for line, way in zip(lines, ("--task ID", "--resubmit", "--abandon"), strict=True):
                assert command_of(line) == f"clipform resolve hero --take {take} {way}"
            assert resolve.unresolved_attempt(session, "hero", take).take == take
        with pytest.raises(UsageError, match="take 1 .* take 2"):
            resolve.unresolved_attempt(session, "hero", None)


def test_what_was_renamed_is_settled_by_either_name(sim: Sim) -> None:
    sim.write(ONE_BY_ONE + "clips:\n  old: {prompt: a lamp, takes: 2}\n")
    sim.server.plan(submit=["*unknown-after"])
    sim.apply()
    sim.write(ONE_BY_ONE + "clips:\n  new: {prompt: a lamp, takes: 2}\n")
    steps = sim.workspace.plan(Choice(), sim.workspace.load()).plan.steps
    with open_session(sim.workspace, "resolve") as opened:
        for number, (step, name) in enumerate(zip(steps, ("old", "new"), strict=True), start=1):
            assert command_of(step.way_out[0]) == f"clipform resolve old --attempt {number} --task ID"
            assert resolve.unresolved_attempt(opened, name, None, number).id == number
            assert resolve.unresolved_attempt(opened, name, number).take == number


def test_an_input_that_changes_while_applying_is_not_sent(sim: Sim) -> None:
    from PIL import Image

    Image.new("RGB", (64, 64)).save(sim.root / "a.png")
    sim.write(ONE_BY_ONE + "clips:\n  first: {prompt: x}\n  hero: {prompt: a lamp, first_frame: a.png}\n")
    changed = Image.new("RGB", (64, 64), (255, 0, 0))
    sim.server.at["submit", "first"] = lambda: changed.save(sim.root / "a.png")
    assert results(sim.apply()) == {"first": "succeeded", "hero": "failed"}
    assert sim.server.submits("hero") == 0


# --- sessions, receipts, lock file ----------------------------------------------------------


def test_a_second_session_is_told_who_holds_the_state(sim: Sim) -> None:
    with open_session(sim.workspace, "apply"):
        with pytest.raises(StateLocked) as error:
            sim.apply()
        assert "'apply'" in error.value.message
        assert str(os.getpid()) in error.value.message
        assert error.value.exit_code == 5
    assert sim.server.calls == []


def test_a_task_that_no_attempt_can_hold_is_told_to_the_user(sim: Sim) -> None:
    """The state was copied: the same clip was bought here and there, and the receipts came together again."""
    with open_session(sim.workspace, "plan"):
        pass
    before = sim.root.with_name("before")
    shutil.copytree(sim.root, before)
    sim.apply(detach=True)
    there = (sim.root / "state/receipts").read_bytes().rstrip(b"\0")
    shutil.rmtree(sim.root)
    before.rename(sim.root)
    sim.apply(detach=True)
    here = (sim.root / "state/receipts").read_bytes().rstrip(b"\0")
    (sim.root / "state/receipts").write_bytes(there + here)
    summary = sim.apply()
    assert results(summary) == {"hero": "succeeded"}
    assert "task-1 at studio was paid for too" in sim.notes.text()
    assert sim.notes.events[0].kind is EventKind.NOTE


def test_a_database_that_is_older_than_its_receipts_learns_what_was_bought(sim: Sim) -> None:
    with open_session(sim.workspace, "plan"):
        pass
    backup = (sim.root / "state/clipform.db").read_bytes()
    sim.apply(detach=True)
    (sim.root / "state/clipform.db").write_bytes(backup)
    (sim.root / "state/clipform.db-journal").unlink(missing_ok=True)
    assert results(sim.apply()) == {"hero": "succeeded"}
    assert sim.server.count("submit") == 1


def test_the_lock_file_says_what_was_made_and_keeps_what_this_state_does_not_know(sim: Sim) -> None:
    sim.apply()
    path = sim.root / "clipform.lock"
    entries = json.loads(path.read_text(encoding="utf-8"))
    assert entries["hero#1"]["task"] == "task-1"
    other = {**entries["hero#1"], "key": "v1:" + "0" * 64}
    path.write_text(json.dumps({"gone#1": other, **entries}), encoding="utf-8")
    sim.write(ONE.replace("a lamp", "a torch"))
    sim.apply()
    after = json.loads(path.read_text(encoding="utf-8"))
    assert after["gone#1"] == other
    assert after["hero#1"]["task"] == "task-2"


def test_a_draft_that_died_with_its_process_is_begun_anew(sim: Sim) -> None:
    with open_session(sim.workspace, "apply", draft=True) as opened:
        opened.store.begin(
            NewAttempt("m", key="v1:aa", clip="hero", take=1, provider="draft", kind="draft", model="animatic")
        )
    with open_session(sim.workspace, "apply", draft=True) as opened:
        assert [attempt.state for attempt in opened.store.attempts("v1:aa")] == [State.NOT_SENT]


def test_every_transport_is_let_go_of(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    assert [transport.closed for transport in sim.transports] == [True]
