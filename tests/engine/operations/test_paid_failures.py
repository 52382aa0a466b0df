"""A failure that counts as paid: another try costs again, so only the user's word leads to it."""

from __future__ import annotations

import pytest

from reconciler.cli.app import main
from reconciler.plan.remedies import command_of
from reconciler.project.model import Choice
from tests.reliability.simulator.sim import HEAD, ONE, Sim


def ways(sim: Sim) -> list[str]:
    """The plan's only step, and its commands."""
    [step] = sim.workspace.plan(Choice(), sim.workspace.load()).plan.steps
    assert (step.action.value, step.reason.value) == ("blocked", "failed_paid")
    assert ", 0.50, " in step.detail
    return [command_of(line) for line in step.way_out]


def test_a_failure_that_is_paid_is_not_bought_again_by_apply(sim: Sim) -> None:
    sim.server.plan("hero", poll=["*fail-billed"])
    [outcome] = sim.apply().outcomes
    assert "clipform resolve hero --resubmit" in outcome.help
    for _ in range(3):
        assert sim.apply().exit_code == 3
    assert (len(sim.server.ledger), sim.states()) == (1, ["failed"])
    assert ways(sim) == ["clipform resolve hero --resubmit", "clipform retake hero"]


def test_the_printed_command_buys_one_more_and_no_third(sim: Sim) -> None:
    sim.server.plan("hero", poll=["*fail-billed"])
    sim.apply()
    for tries in (2, 3):
        command = ways(sim)[0].split()[1:]
        assert main(["-C", str(sim.root), *command, "--yes"]) == 0
        for _ in range(2):
            sim.apply()
        assert len(sim.server.ledger) == tries
    assert main(["-C", str(sim.root), *ways(sim)[0].split()[1:], "--yes"]) == 0
    sim.server.heal()
    assert sim.apply().exit_code == 0
    assert sim.states() == ["abandoned"] * 3 + ["done"]


def test_a_failure_that_is_free_is_tried_again(sim: Sim) -> None:
    sim.server.plan("hero", poll=["fail-free"])
    sim.write(ONE)
    sim.apply()
    [step] = sim.workspace.plan(Choice(), sim.workspace.load()).plan.steps
    assert step.reason.value == "refused"  # by moderation, and the detail says that nothing was charged
    assert "not charged" in step.detail


@pytest.mark.parametrize("edited_first", [True, False])
def test_with_another_version_in_doubt_the_command_names_the_attempt(edited_first: bool, sim: Sim) -> None:
    words = [{"submit": ["unknown-after"]}, {"poll": ["fail-billed"]}]
    for prompt, word in zip(("a lamp", "a torch"), reversed(words) if edited_first else words, strict=True):
        sim.server.plan("hero", **word)
        sim.write(f"{HEAD}clips:\n  hero: {{prompt: {prompt}}}\n")
        sim.apply()
    planned = sim.workspace.plan(Choice(), sim.workspace.load()).plan
    for step in planned.steps:
        [decide, *_] = [command_of(line) for line in step.way_out if "--resubmit" in line or "--abandon" in line]
        assert main(["-C", str(sim.root), *decide.split()[1:], "--yes"]) == 0


def test_a_paid_failure_of_an_older_version_is_no_question(sim: Sim) -> None:
    sim.server.plan("hero", poll=["fail-billed"])
    sim.apply()
    sim.write(ONE.replace("a lamp", "a torch"))
    assert sim.apply().exit_code == 0
    assert main(["-C", str(sim.root), "resolve", "hero", "--resubmit", "--yes"]) == 64
