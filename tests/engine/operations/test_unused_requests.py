"""Requests in doubt: what a run says of their cost, and what can be done about one that no clip uses any more."""

from __future__ import annotations

import pytest

from reconciler.cli.app import main
from reconciler.plan.model import Plan
from reconciler.plan.remedies import command_of
from reconciler.project.model import Choice
from reconciler.views.terminal import apply
from reconciler.views.terminal.style import Style
from tests.reliability.simulator.sim import HEAD, ONE, Sim

TWO = HEAD + "clips:\n  hero: {prompt: a lamp, takes: 2}\n"


def plan(sim: Sim) -> Plan:
    return sim.workspace.plan(Choice(), sim.workspace.load()).plan


@pytest.mark.parametrize(
    ("submit", "cost"),
    [("unknown-after", "Cost: up to 0.50."), ("accept", "Cost: 0.50."), ("refuse-busy", "Cost: 0.50.")],
)
def test_the_cost_of_a_run_with_a_request_in_doubt_is_a_bound(submit: str, cost: str, sim: Sim) -> None:
    sim.server.plan("hero", submit=[submit])
    assert cost in "".join(apply.summary(sim.apply(), Style()))


def test_a_request_in_doubt_that_no_clip_uses_is_no_paid_task_and_is_not_sent_again(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    sim.write(ONE.replace("a lamp", "a torch"))
    [doubtful] = plan(sim).blocked()
    assert "paid" not in doubtful.headline
    commands = [command_of(line) for line in doubtful.way_out]
    assert commands == [f"clipform resolve hero --attempt 1 {way}" for way in ("--task ID", "--abandon")]
    before = sim.states()
    assert main(["-C", str(sim.root), "resolve", "hero", "--attempt", "1", "--resubmit", "--yes"]) == 64
    assert sim.states() == before
    assert main(["-C", str(sim.root), *commands[-1].split()[1:], "--yes"]) == 0
    assert sim.apply().exit_code == 0


def test_takes_that_were_lowered_are_named_by_the_printed_commands(sim: Sim) -> None:
    sim.server.plan(submit=["*unknown-after"])
    sim.write(TWO)
    sim.apply()
    sim.write(TWO.replace(", takes: 2", ""))
    printed = [command_of(step.way_out[-1]) for step in plan(sim).blocked()]
    assert printed == [f"clipform resolve hero --take {take} --abandon" for take in (1, 2)]
    ran = [command_of(outcome.help.splitlines()[-1]) for outcome in sim.apply().outcomes]
    assert sorted(ran) == printed
    for line in printed:
        assert main(["-C", str(sim.root), *line.split()[1:], "--yes"]) == 0
    assert sim.states() == ["abandoned", "abandoned"]
