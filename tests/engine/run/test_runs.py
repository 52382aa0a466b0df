"""One run and the next: interrupts, failures, refusals, budgets, odd answers, full disks. Nothing is paid twice.

Longer than 400 lines because it is a list of short stories about one simulated vendor, best read together.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from decimal import Decimal

import pytest

from reconciler.diagnostics import Refused, StateError, StateLocked, UsageError
from reconciler.engine.operations import resolve
from reconciler.engine.run import session
from reconciler.engine.run.apply import Run
from reconciler.engine.run.session import open_session
from reconciler.events import EventKind, Summary
from reconciler.plan.remedies import command_of
from reconciler.project.model import Choice
from reconciler.records import Attempt, State
from reconciler.state.budget import Caps, NewAttempt
from reconciler.state.receipts import Receipts
from reconciler.state.store import Facts, Store
from reconciler.views.terminal import apply
from reconciler.views.terminal.style import Style
from tests.reliability.simulator import checker
from tests.reliability.simulator.sim import HEAD, ONE, Sim

ONE_BY_ONE = HEAD.replace("kind: fake,", "kind: fake, concurrency: 1,")
PAIR = "clips:\n  hero: {prompt: a lamp}\n  intro: {prompt: a candle}\n"
CHAIN = "clips:\n  hero: {prompt: a lamp}\n  next: {prompt: it falls, first_frame: '${clips.hero.last_frame}'}\n"


def results(summary: Summary) -> dict[str, str]:
    return {outcome.name: outcome.result.value for outcome in summary.outcomes}


# --- what it cost, and what was saved --------------------------------------------------------

TWINS = """clips:
  hero: {prompt: a lamp}
  twin: {prompt: a lamp}
  intro: {prompt: a candle}
"""


def money(summary: Summary) -> tuple[str, str]:
    return f"{summary.spent:f}", f"{summary.saved:f}"


def test_a_run_says_what_it_cost_and_what_a_run_without_memory_would_have_cost_more(sim: Sim) -> None:
    sim.write(HEAD + TWINS)
    assert money(sim.apply()) == ("1", "0.50")  # two pictures for three clips
    assert money(sim.apply()) == ("0", "1.50")  # all three are up to date
    (sim.root / "renders" / "hero.mp4").unlink()
    sim.write(HEAD + TWINS.replace("candle", "torch"))
    assert money(sim.apply()) == ("0.5", "1.00")
    sim.write(HEAD + TWINS)
    assert money(sim.apply()) == ("0", "1.50")  # restored


def test_what_was_paid_for_before_and_is_collected_now_saves_nothing(sim: Sim) -> None:
    sim.server.at["poll", "hero"] = lambda: signal.raise_signal(signal.SIGINT)
    assert money(sim.apply()) == ("0.5", "0")
    sim.server.heal()
    assert money(sim.apply()) == ("0", "0")


@pytest.mark.parametrize("end", ["poll", "uncertain", "done", "refused"])
def test_what_was_bought_at_no_known_price_is_told_however_it_ends(end: str, sim: Sim) -> None:
    sim.write(ONE.replace(', prices: [{model: "*", per_clip: 0.50}]', ""))
    if end == "poll":
        sim.server.at["poll", "hero"] = lambda: signal.raise_signal(signal.SIGINT)
    elif end != "done":
        sim.server.plan("hero", submit=[{"uncertain": "*unknown-after", "refused": "refuse-input"}[end]])
    summary = sim.apply()
    assert summary.unpriced == (end != "refused")
    assert ("Cost: 1 unpriced." in "".join(apply.summary(summary, Style()))) == (end != "refused")
    sim.server.heal()
    assert sim.apply().unpriced == 0  # it was counted by the run that bought it


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
    assert results(sim.apply()) == {"hero": "failed", "intro": "skipped", "away": "succeeded"}
    assert sim.server.submits("intro") == 0
    sim.rest()
    assert len(sim.server.ledger) == 3


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


# --- money ----------------------------------------------------------------------------------

BUDGET = "budget: {currency: USD, per_apply: 0.60}\n"


def test_a_plan_over_the_budget_sends_nothing(sim: Sim) -> None:
    sim.write(HEAD + BUDGET + PAIR)
    with pytest.raises(Refused):
        sim.apply()
    with pytest.raises(Refused):
        sim.apply(max_cost=Decimal("0.10"))
    assert sim.server.calls == []


def test_the_intent_itself_keeps_to_the_budget(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Run, "require_allowed", lambda run: None)  # as if two clips had been planned apart
    sim.write(HEAD + BUDGET + PAIR)
    assert sorted(results(sim.apply()).values()) == ["failed", "succeeded"]
    assert len(sim.server.ledger) == 1
    assert list(checker.within(checker.World(sim.root), 600_000)) == []


def test_a_clip_without_a_price_is_refused_under_a_budget(sim: Sim) -> None:
    sim.write(HEAD.replace('prices: [{model: "*", per_clip: 0.50}]', "concurrency: 2") + BUDGET + PAIR)
    with pytest.raises(Refused):
        sim.apply()
    assert sim.server.calls == []


def test_locked_restores_and_generates_nothing(sim: Sim) -> None:
    with pytest.raises(Refused):
        sim.apply(locked=True)
    assert sim.server.calls == []
    sim.apply()
    bytes_ = sim.output("renders/hero.mp4")
    (sim.root / "renders/hero.mp4").unlink()
    assert results(sim.apply(locked=True)) == {"hero": "succeeded"}
    assert sim.output("renders/hero.mp4") == bytes_
    assert sim.server.count("submit") == 1


def test_clips_that_want_the_same_picture_pay_once(sim: Sim) -> None:
    sim.write(HEAD + "clips:\n  hero: {prompt: a lamp}\n  copy: {prompt: a lamp}\n")
    assert results(sim.apply()) == {"hero": "succeeded", "copy": "succeeded"}
    assert len(sim.server.ledger) == 1
    assert sim.output("renders/hero.mp4") == sim.output("renders/copy.mp4") is not None


def test_the_result_of_a_task_that_nobody_wants_any_more_is_kept_for_when_they_do(sim: Sim) -> None:
    sim.apply(detach=True)
    sim.write(ONE.replace("a lamp", "a torch"))
    sim.apply()
    assert sim.output("renders/hero.mp4") == sim.server.content("task-2")
    sim.rest()
    sim.write(ONE)
    assert results(sim.apply()) == {"hero": "succeeded"}
    assert sim.output("renders/hero.mp4") == sim.server.content("task-1")
    assert len(sim.server.ledger) == 2


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


# --- full disks, and disks that fail -----------------------------------------------------------


def test_an_intent_that_is_there_though_its_commit_failed_is_known_not_to_have_been_sent(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite may fail at the last sync of a commit that every later reader finds done."""
    real = session.Store.begin

    def fails(self: Store, new: NewAttempt, caps: Caps | None = None) -> Attempt:
        real(self, new, caps)
        raise StateError("cannot use the state: disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(session.Store, "begin", fails)
        assert sim.apply().exit_code == 3
    assert (sim.states(), sim.server.submits("hero")) == (["not_sent"], 0)
    assert sim.apply().exit_code == 0
    assert sim.server.submits("hero") == 1


def _full(*_: object, **__: object) -> None:
    raise StateError("cannot write the state: the disk is full", code="disk-full")


@pytest.mark.parametrize(("kind", "name"), [(Store, "begin"), (Receipts, "_reserve")])
def test_a_disk_that_is_full_before_the_request_sends_nothing(
    kind: type, name: str, sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(session.Store if kind is Store else kind, name, _full)
        summary = sim.apply()
    assert (results(summary), summary.exit_code) == ({"hero": "failed"}, 3)
    assert "disk is full" in summary.outcomes[0].message
    assert sim.server.calls == []


def test_a_disk_that_fills_up_before_the_id_is_recorded_loses_no_task(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.write(ONE_BY_ONE + PAIR)
    real = session.Store.move

    def move(self: Store, attempt: Attempt, to: State, facts: Facts | None = None) -> Attempt:
        return _full() if to is State.ACCEPTED else real(self, attempt, to, facts)  # type: ignore[return-value]

    with monkeypatch.context() as patch:
        patch.setattr(session.Store, "move", move)
        summary = sim.apply()
    assert results(summary) == {"hero": "failed", "intro": "skipped"}
    assert "task-1" in summary.outcomes[0].message  # said aloud, in case that nothing can be written
    assert sim.states() == ["submitting"]
    sim.rest()
    assert sim.states() == ["done", "done"]
    assert len(sim.server.ledger) == 2


def test_receipts_that_cannot_be_written_keep_the_id_out_of_nothing_else(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(session.Receipts, "accepted", _full)
        sim.apply()
    assert [attempt.task for attempt in sim.attempts()] == ["task-1"]
    sim.rest()
    assert len(sim.server.ledger) == 1


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
