"""A fresh clone has no state: what `clipform.lock` says and what lies at the outputs is all that is known."""

from __future__ import annotations

import shutil

import pytest

from reconciler.diagnostics import Refused
from reconciler.events import Summary
from reconciler.plan.model import Action, Reason
from reconciler.project.model import Choice
from tests.reliability.simulator.sim import HEAD, Sim

PAIR = """clips:
  hero: {prompt: a lamp, takes: 2, pick: 2}
  next: {prompt: falls, first_frame: "${clips.hero.last_frame}"}
  solo: {prompt: a candle}
"""
EDITED = PAIR.replace("falls", "rises")


def results(summary: Summary) -> dict[str, str]:
    return {outcome.name: outcome.result.value for outcome in summary.outcomes}


@pytest.fixture
def clone(sim: Sim) -> Sim:
    """Everything was made and paid for, and the outputs are in git; the state is not."""
    sim.write(HEAD + PAIR)
    sim.apply()
    shutil.rmtree(sim.root / "state")
    sim.server.calls.clear()
    return sim


def actions(sim: Sim) -> dict[str, tuple[Action, Reason]]:
    plan = sim.workspace.plan(Choice(), sim.workspace.load()).plan
    return {step.name: (step.action, step.reason) for step in plan.steps}


def test_outputs_that_are_what_the_lock_file_says_are_up_to_date(clone: Sim) -> None:
    assert actions(clone) == {
        "hero#1": (Action.NOOP, Reason.LOCKED_TAKE),
        "hero#2": (Action.NOOP, Reason.UP_TO_DATE),
        "next": (Action.NOOP, Reason.UP_TO_DATE),
        "solo": (Action.NOOP, Reason.UP_TO_DATE),
    }


def test_locked_proves_it_and_asks_nobody(clone: Sim) -> None:
    before = (clone.root / "clipform.lock").read_bytes()
    summary = clone.apply(locked=True)
    assert (results(summary), summary.exit_code) == ({}, 0)
    assert clone.server.calls == []
    assert (clone.root / "clipform.lock").read_bytes() == before
    assert clone.apply(locked=True).exit_code == 0  # with a state too


def test_locked_names_what_is_not_as_it_says(clone: Sim) -> None:
    clone.write(HEAD + PAIR.replace("candle", "torch"))
    (clone.root / "renders" / "hero.mp4").write_bytes(b"another cut")
    with pytest.raises(Refused) as refused:
        clone.apply(locked=True)
    assert refused.value.message.splitlines() == [
        "--locked: 1 would have to be generated, 1 blocked",
        "- solo: the prompt, settings or inputs changed",
        "- hero#2: clipform did not create the file at the output path",
    ]
    assert clone.server.calls == []


CHANGES = {
    "another name": ("solo:", "single:", "- single: clipform.lock has it as solo"),
    "another output": (
        "candle}",
        "candle, output: renders/far.mp4}",
        "- solo: clipform.lock has it at renders/solo.mp4, not at renders/far.mp4",
    ),
    "another pick": ("pick: 2", "pick: 1", "- hero#2: clipform.lock has it at renders/hero.mp4"),
    "not declared": (
        "  solo: {prompt: a candle}\n",
        "",
        "- solo#1: clipform.lock has a line for it, and the project does not declare it",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("has_state", [False, True], ids=["clone", "state"])
def test_locked_refuses_what_would_change_the_lock_file(sim: Sim, change: str, has_state: bool) -> None:
    before, after, line = CHANGES[change]
    sim.write(HEAD + PAIR)
    sim.apply()
    sim.server.calls.clear()
    if not has_state:
        shutil.rmtree(sim.root / "state")
    sim.write(HEAD + PAIR.replace(before, after))
    files = {path: path.read_bytes() for path in (*sim.root.glob("renders/*"), sim.root / "clipform.lock")}
    if change == "not declared" and not has_state:
        assert sim.apply(locked=True).exit_code == 0  # it stays: it may be the only memory of a purchase
    else:
        with pytest.raises(Refused) as refused:
            sim.apply(locked=True)
        assert refused.value.code == "locked-plan"
        assert line in refused.value.message.splitlines()
    assert {path: path.read_bytes() for path in (*sim.root.glob("renders/*"), sim.root / "clipform.lock")} == files
    assert sim.server.calls == []


def test_locked_collects_no_task(sim: Sim) -> None:
    sim.write(HEAD + PAIR)
    sim.apply(detach=True)
    sim.server.calls.clear()
    with pytest.raises(Refused, match="to be collected from a provider"):
        sim.apply(locked=True)
    assert sim.server.calls == []


def test_locked_refuses_another_file_of_the_same_key(sim: Sim) -> None:
    """The lock file of a colleague who bought it too: git brought the line, and not the video."""
    sim.write(HEAD + PAIR)
    sim.apply()
    lock = (sim.root / "clipform.lock").read_text()
    sha256 = lock.split('"solo#1"')[1].split('"sha256": "')[1][:64]
    sim.write(lock.replace(sha256, "ab" * 32), "clipform.lock")
    with pytest.raises(Refused, match="- solo: clipform.lock names another file"):
        sim.apply(locked=True)
    assert "ab" * 32 in (sim.root / "clipform.lock").read_text()


def test_locked_places_what_the_lock_file_names(sim: Sim) -> None:
    sim.write(HEAD + PAIR)
    sim.apply()
    sim.server.calls.clear()
    before, video = (sim.root / "clipform.lock").read_bytes(), sim.output("renders/next.mp4")
    (sim.root / "renders" / "next.mp4").unlink()
    summary = sim.apply(locked=True)
    assert (results(summary), summary.exit_code) == ({"next": "succeeded"}, 0)
    assert (sim.output("renders/next.mp4"), sim.server.calls) == (video, [])
    assert (sim.root / "clipform.lock").read_bytes() == before


def test_an_output_that_is_missing_is_named(clone: Sim) -> None:
    (clone.root / "renders" / "next.mp4").unlink()
    summary = clone.apply(locked=True)
    assert (results(summary), summary.exit_code) == ({"next": "blocked"}, 3)


def test_an_edited_clip_is_replaced_and_its_old_render_is_kept(clone: Sim) -> None:
    """The render in git is the only copy of what was paid for: it is in the store before another takes its place."""
    old = clone.output("renders/next.mp4")
    clone.write(HEAD + EDITED)
    assert actions(clone)["next"] == (Action.REPLACE, Reason.CHANGED)
    assert results(clone.apply()) == {"next": "succeeded"}
    assert clone.output("renders/next.mp4") != old
    clone.write(HEAD + PAIR)
    clone.server.calls.clear()
    assert results(clone.apply()) == {"next": "succeeded"}
    assert (clone.output("renders/next.mp4"), clone.server.calls) == (old, [])


def test_a_file_that_the_lock_file_does_not_name_is_the_users(clone: Sim) -> None:
    (clone.root / "renders" / "next.mp4").write_bytes(b"mine")
    clone.write(HEAD + EDITED)
    assert results(clone.apply()) == {"next": "blocked"}
    assert clone.output("renders/next.mp4") == b"mine"
    assert clone.server.calls == []
