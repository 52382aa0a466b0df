"""`moved`: a clip that is renamed and edited at once keeps what it holds, whatever ends the run."""

from __future__ import annotations

import shutil

import pytest

from reconciler.plan.model import Action, Plan
from reconciler.project.model import Choice
from tests.reliability.simulator.sim import HEAD, Sim

FORMER = HEAD + "clips:\n  hero: {prompt: a lamp, takes: 2}\n  solo: {prompt: a candle}\n"
MOVED = HEAD + "moved: [{from: hero, to: opening}]\nclips:\n  opening: {prompt: a lantern, takes: 2}\n"
MOVED += "  solo: {prompt: a candle}\n"


@pytest.fixture
def renamed(sim: Sim) -> Sim:
    sim.write(FORMER)
    sim.apply()
    sim.write(MOVED)
    return sim


def plan_of(sim: Sim) -> Plan:
    return sim.workspace.plan(Choice(), sim.workspace.load()).plan


def actions(plan: Plan) -> list[tuple[str, int, Action]]:
    return sorted((step.clip, step.take, step.action) for step in plan.steps if step.action is not Action.NOOP)


EXPECTED = [("opening", 1, Action.REMOVE), ("opening", 1, Action.REPLACE), ("opening", 2, Action.REPLACE)]


def test_a_renamed_and_edited_clip_is_replaced_and_its_records_go_with_it(renamed: Sim) -> None:
    plan = plan_of(renamed)
    assert (actions(plan), plan.moved) == (EXPECTED, (("hero", "opening"),))
    assert {change.field for step in plan.steps for change in step.changes} == {"prompt"}
    renamed.apply()
    assert plan_of(renamed).moved == ()
    assert not plan_of(renamed).has_changes() and not plan_of(renamed).unbind
    bound = {ident for ident in renamed.workspace.snapshot(False).bindings}
    assert bound == {("opening", 1), ("opening", 2), ("solo", 1)}
    events = renamed.workspace.events(False, "opening")
    assert [entry.type for entry in events if entry.type == "bound"] == ["bound"] * 4  # both versions of both takes


def test_in_a_fresh_clone_the_lock_file_has_the_former_name(renamed: Sim) -> None:
    shutil.rmtree(renamed.root / "state")
    plan = plan_of(renamed)
    replaced = {step.clip: step.previous_key for step in plan.steps if step.action is Action.REPLACE}
    assert [*replaced] == ["opening"] and replaced["opening"] is not None


def test_only_what_is_selected_takes_its_former_name(renamed: Sim) -> None:
    renamed.apply(Choice(clips=("solo",)))
    assert ("hero", 1) in renamed.workspace.snapshot(False).bindings
    assert actions(plan_of(renamed)) == EXPECTED


def test_a_clip_with_records_of_its_own_takes_none(renamed: Sim) -> None:
    renamed.write(MOVED.replace("moved: [{from: hero, to: opening}]\n", ""))
    renamed.apply()
    renamed.write(MOVED.replace("to: opening", "to: solo"))
    assert plan_of(renamed).moved == ()


def test_a_run_that_dies_anywhere_buys_each_key_once(renamed: Sim) -> None:
    """A former output may stay, as it does for a clip whose output is another now."""
    renamed.save()
    points = len(renamed.dies(None).names)
    assert points > 20
    for at in (*range(1, 9), *range(9, points, 5)):
        renamed.load()
        renamed.dies(at)
        renamed.rest()
        plan = plan_of(renamed)
        assert plan.moved == () and not plan.has_changes(), at
        assert plan.blocked() or renamed.output("renders/opening.mp4") is not None, at  # an answer may be lost
        assert len(renamed.attempts("opening")) == 2, at
