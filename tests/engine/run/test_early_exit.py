"""Runs that end early: those that only pass by (`--detach`), and one that could not write down what it bought."""

from __future__ import annotations

import os

import pytest

from reconciler.events import Summary
from reconciler.providers.base import PollTrouble
from tests.reliability.simulator.sim import HEAD, Sim

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


def test_a_detached_run_does_not_wait_for_a_busy_provider(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    sim.apply(detach=True)
    monkeypatch.setattr(sim.server, "answer_poll", lambda request: PollTrouble("busy", retry_after=60.0))
    began = sim.clock.time
    assert results(sim.apply(detach=True)) == {"hero": "left"}
    assert sim.clock.time == began


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
