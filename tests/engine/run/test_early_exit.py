"""Runs that end early, and their exit codes: those that only pass by (`--detach`), those whose key is refused, and one
that could not write down what it bought."""

from __future__ import annotations

import os

import pytest

from reconciler.events import Summary
from reconciler.providers.base import PollTrouble, Refusal
from tests.reliability.simulator.sim import HEAD, Sim

CHAIN = "clips:\n  hero: {prompt: a lamp}\n  next: {prompt: it falls, first_frame: '${clips.hero.last_frame}'}\n"
PAIR = "clips:\n  hero: {prompt: a lamp}\n  intro: {prompt: a candle}\n"


def results(summary: Summary) -> dict[str, str]:
    return {outcome.clip: outcome.result.value for outcome in summary.outcomes}


def test_a_detached_run_asks_once_for_what_an_earlier_one_sent_and_leaves_it(sim: Sim) -> None:
    sim.write(HEAD + PAIR)
    sim.apply(detach=True)
    sim.server.plan("hero", poll=["working"])
    sim.server.plan("intro", poll=["done"])
    began = sim.clock.time
    assert results(sim.apply(detach=True)) == {"hero": "left", "intro": "succeeded"}
    assert (sim.server.count("poll"), sim.clock.time) == (2, began)
    sim.write(HEAD + "clips:\n  hero: {prompt: a lamp}\n")
    sim.server.plan("hero", poll=["working"])
    assert sim.apply(detach=True).exit_code == 0


def test_a_detached_run_does_not_wait_for_a_busy_provider(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    sim.apply(detach=True)
    monkeypatch.setattr(sim.server, "answer_poll", lambda request: PollTrouble("busy", retry_after=60.0))
    began = sim.clock.time
    assert results(sim.apply(detach=True)) == {"hero": "left"}
    assert sim.clock.time == began


def test_a_detached_run_says_that_a_dependent_clip_was_not_started(sim: Sim) -> None:
    sim.write(HEAD + CHAIN)
    summary = sim.apply(detach=True)
    assert (results(summary), summary.exit_code) == ({"hero": "left", "next": "skipped"}, 3)
    assert "waits for hero" in sim.notes.text()


def test_a_key_that_is_refused_at_once_is_a_mistake_and_nothing_was_done(sim: Sim) -> None:
    sim.write(HEAD.replace("kind: fake,", "kind: fake, concurrency: 1,") + PAIR)
    sim.server.plan("hero", submit=["refuse-credentials"])
    summary = sim.apply()
    assert (results(summary), summary.exit_code) == ({"hero": "failed", "intro": "skipped"}, 1)
    sim.server.plan("hero", submit=["refuse-account"])  # an empty account is no mistake in the project
    assert sim.apply().exit_code == 3


def test_a_key_that_is_refused_while_a_task_waits_collects_nothing_and_says_so(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.apply(detach=True)
    denied = PollTrouble("denied", refusal=Refusal.CREDENTIALS)
    with monkeypatch.context() as patch:
        patch.setattr(sim.server, "answer_poll", lambda request: denied)
        summary = sim.apply()
    assert (results(summary), summary.exit_code) == ({"hero": "blocked"}, 3)
    assert sim.apply().exit_code == 0
    assert len(sim.server.ledger) == 1


def test_nothing_is_bought_where_the_lock_file_cannot_be_written(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    (sim.root / "renders").mkdir()

    def access(path: str, mode: int, *, dir_fd: int) -> bool:
        return not os.path.samestat(os.stat(path, dir_fd=dir_fd), sim.root.stat())

    monkeypatch.setattr(os, "access", access)
    assert results(sim.apply()) == {"hero": "failed"}
    assert "cannot reach clipform.lock: permission denied" in sim.notes.text()
    assert sim.server.count("submit") == 0
    monkeypatch.undo()
    assert sim.states() == []
