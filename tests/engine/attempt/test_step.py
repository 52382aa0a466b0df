"""A generation may be handed over at each wait: to a runner that has its record and its counters, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import pytest

from reconciler.engine.attempt.context import Counters, Streak
from reconciler.engine.attempt.runner import AttemptRunner
from reconciler.engine.control import Pause
from reconciler.engine.run import makers
from tests.reliability.simulator.sim import Sim

Words = Mapping[str, Sequence[str]]
PLOTS: Mapping[str, tuple[Words, str]] = {
    "it works": ({}, "done"),
    "it works for long": ({"poll": ["working"] * 9}, "done"),
    "the vendor is busy": ({"submit": ["refuse-busy", "refuse-busy"]}, "done"),
    "nothing gets through": ({"submit": ["*not-sent"]}, "not_sent"),
    "polls break": ({"poll": ["trouble", "trouble", "working", "trouble"]}, "done"),
    "the task is missed twice": ({"poll": ["not-found", "not-found", "working", "not-found", "not-found"]}, "done"),
    "the task vanishes": ({"poll": ["*not-found"]}, "vanished"),
    "there is no video": ({"poll": ["*no-link"]}, "no_output"),
    "the link is dead": ({"fetch": ["*dead"]}, "result_expired"),
    "the video is broken": ({"fetch": ["*junk"]}, "quarantined"),
    "it fails": ({"poll": ["working", "fail-billed"]}, "failed"),
}


class HandedOver(AttemptRunner):
    """Hands over at each wait, through JSON."""

    async def make(self) -> str:
        runner: AttemptRunner = self
        while isinstance(outcome := await runner.step(), Pause):
            await runner.context.wait(outcome)
            runner = _successor(runner)
            handed.append(outcome.delay)
        self.context = runner.context
        return outcome.sha256


handed: list[float] = []


def _successor(runner: AttemptRunner) -> AttemptRunner:
    numbers = json.loads(json.dumps(asdict(runner.context.counters)))
    streaks = {name: Streak(**numbers[name]) for name in ("misses", "empties")}
    context = replace(runner.context, counters=Counters(**{**numbers, **streaks}), job=None, result=None)
    successor = AttemptRunner(context)
    successor.due = context.newest() if runner.due is not None else None
    return successor


@pytest.mark.parametrize("name", PLOTS)
def test_a_generation_that_is_handed_over_at_each_wait_ends_as_one_that_is_not(
    name: str, sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, state = PLOTS[name]
    handed.clear()
    sim.save()
    alone = _played(sim, words)
    assert alone[1][-1] == state
    sim.load()
    monkeypatch.setattr(makers, "AttemptRunner", HandedOver)
    assert _played(sim, words) == alone
    assert handed


def _played(sim: Sim, words: Words) -> tuple[int, list[str], list[tuple[str, str]], int, float]:
    """What a run leaves: its exit code, the states, the vendor's calls and ledger, and how long it took."""
    sim.server.plan("hero", **words)
    sim.server.calls.clear()
    began = sim.clock.time
    code = sim.apply().exit_code
    return code, sim.states("hero"), list(sim.server.calls), len(sim.server.ledger), sim.clock.time - began
