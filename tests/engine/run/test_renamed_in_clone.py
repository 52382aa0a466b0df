"""In a fresh clone `clipform.lock` says where each video was placed, so a renamed clip costs nothing there either."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from itertools import count
from pathlib import Path

import pytest

from reconciler.diagnostics import ArtifactError
from reconciler.engine.run.lockfile_sync import LockfileAdopter
from reconciler.engine.run.session import open_session
from reconciler.plan.model import Action, Plan, Reason, Step
from reconciler.project.model import Choice
from reconciler.project.saved_plan import review_digest
from tests.reliability.simulator.sim import HEAD, Sim

PAIR = """clips:
  hero: {prompt: a lamp}
  solo: {prompt: a candle}
"""
RENAMED = PAIR.replace("hero", "opening")
OLD, NEW = "renders/hero.mp4", "renders/opening.mp4"


@pytest.fixture
def clone(sim: Sim) -> Sim:
    sim.write(HEAD + PAIR)
    sim.apply()
    shutil.rmtree(sim.root / "state")
    sim.server.calls.clear()
    return sim


def plan_of(sim: Sim) -> Plan:
    return sim.workspace.plan(Choice(), sim.workspace.load()).plan


def step_of(sim: Sim, clip: str) -> Step:
    return next(step for step in plan_of(sim).steps if step.clip == clip)


def lock_line(sim: Sim, name: str) -> dict[str, object]:
    line: dict[str, object] = json.loads((sim.root / "clipform.lock").read_text(encoding="utf-8"))[name]
    return line


def edit_line(sim: Sim, name: str, **fields: object) -> None:
    path = sim.root / "clipform.lock"
    content = json.loads(path.read_text(encoding="utf-8"))
    content[name] |= fields
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_renamed_clip_is_restored_from_its_old_path(clone: Sim) -> None:
    video = clone.output(OLD)
    clone.write(HEAD + RENAMED)
    step = step_of(clone, "opening")
    assert (step.action, step.reason, step.previous_output) == (Action.RESTORE, Reason.COPIED, OLD)
    summary = clone.apply()
    assert [(o.name, o.result.value, o.message) for o in summary.outcomes] == [
        ("opening", "succeeded", f"copied to {NEW} from {OLD}, which clipform does not remove")
    ]
    assert (clone.output(NEW), clone.output(OLD), clone.server.calls) == (video, video, [])
    assert lock_line(clone, "opening#1")["output"] == NEW
    assert step_of(clone, "opening").action is Action.NOOP


def add_to_git(sim: Sim, *names: str) -> None:
    for words in (["init", "-q", "--template="], ["add", "--force", *names]):
        subprocess.run(["git", "-C", str(sim.root), *words], check=True, capture_output=True, timeout=100)


def test_a_file_that_git_has_is_moved(clone: Sim) -> None:
    video = clone.output(OLD)
    add_to_git(clone, "clipform.yaml", "clipform.lock", "renders")
    clone.write(HEAD + RENAMED)
    step = step_of(clone, "opening")
    assert (step.action, step.reason, step.previous_output) == (Action.MOVE, Reason.RENAMED, OLD)
    assert [o.result.value for o in clone.apply().outcomes] == ["succeeded"]
    assert (clone.output(NEW), clone.output(OLD), clone.server.calls) == (video, None, [])
    assert lock_line(clone, "opening#1")["output"] == NEW
    assert step_of(clone, "opening").action is Action.NOOP


def test_a_kill_at_any_point_of_the_move_loses_nothing(clone: Sim) -> None:
    video = clone.output(OLD)
    add_to_git(clone, "clipform.yaml", "clipform.lock", "renders")
    clone.write(HEAD + RENAMED)
    clone.save()
    for point in count(1):
        clone.load()
        wire = clone.dies(point)
        clone.apply()
        found = (clone.output(NEW), clone.output(OLD), clone.server.calls, lock_line(clone, "opening#1")["output"])
        assert found == (video, None, [], NEW), wire.names[-1:]
        assert plan_of(clone).changes() == ()
        if not wire.dead:
            break


def test_a_file_that_git_has_stays_where_another_clip_reads_it(clone: Sim) -> None:
    add_to_git(clone, "clipform.yaml", "clipform.lock", "renders")
    reader = "  third: {prompt: a torch, references: {videos: [renders/hero.mp4]}}\n"
    clone.write(HEAD + RENAMED + reader)
    assert step_of(clone, "opening").reason is Reason.COPIED


def test_a_video_of_two_clips_is_copied_to_both(clone: Sim) -> None:
    video = clone.output(OLD)
    add_to_git(clone, "clipform.yaml", "clipform.lock", "renders")
    clone.write(HEAD + RENAMED + "  twin: {prompt: a lamp}\n")
    clone.apply()
    assert [clone.output(f"renders/{name}.mp4") for name in ("opening", "twin", "hero")] == [video] * 3
    assert clone.server.calls == []


def test_the_plan_says_that_the_old_file_stays_and_how_to_remove_it(clone: Sim) -> None:
    clone.write(HEAD + RENAMED)
    [line] = step_of(clone, "opening").way_out
    assert line.startswith(f"rm {OLD}  # ")
    clone.write(HEAD + "clips:\n  solo: {prompt: a lamp}\n  hero: {prompt: a candle}\n")
    assert step_of(clone, "solo").way_out == ()  # the other clip takes its place


def test_a_reviewer_sees_the_digest_of_the_author(sim: Sim) -> None:
    sim.write(HEAD + PAIR)
    sim.apply()
    sim.write(HEAD + RENAMED)
    assert step_of(sim, "opening").action is Action.MOVE
    of_author = review_digest(plan_of(sim))
    shutil.rmtree(sim.root / "state")
    assert step_of(sim, "opening").action is Action.RESTORE
    assert review_digest(plan_of(sim)) == of_author


def test_another_output_of_the_same_clip_is_restored_too(clone: Sim) -> None:
    video = clone.output(OLD)
    clone.write(HEAD + PAIR.replace("a lamp", "a lamp, output: out/first.mp4"))
    assert step_of(clone, "hero").reason is Reason.COPIED
    clone.apply()
    assert (clone.output("out/first.mp4"), clone.server.calls) == (video, [])


def test_two_clips_that_swap_their_names_keep_their_videos(clone: Sim) -> None:
    lamp, candle = clone.output(OLD), clone.output("renders/solo.mp4")
    clone.write(HEAD + "clips:\n  solo: {prompt: a lamp}\n  hero: {prompt: a candle}\n")
    clone.apply()
    assert (clone.output("renders/solo.mp4"), clone.output(OLD), clone.server.calls) == (lamp, candle, [])


def test_other_bytes_at_the_old_path_are_not_the_video(clone: Sim) -> None:
    (clone.root / OLD).write_bytes(b"another cut")
    clone.write(HEAD + RENAMED)
    assert step_of(clone, "opening").reason is Reason.LOCKED_BEFORE
    clone.apply()
    assert (clone.output(OLD), clone.output(NEW), clone.server.calls) == (b"another cut", None, [])


def test_bytes_that_change_after_the_plan_are_not_placed(clone: Sim) -> None:
    clone.write(HEAD + RENAMED)
    planned = clone.workspace.plan(Choice(), clone.workspace.load())
    (clone.root / OLD).write_bytes(b"another cut")
    with open_session(clone.workspace, "apply") as session, pytest.raises(ArtifactError):
        LockfileAdopter.of(session, planned).artifact(next(s for s in planned.plan.steps if s.clip == "opening"))


@pytest.mark.parametrize("path", ["/etc/hero.mp4", "../hero.mp4", "renders/../../hero.mp4", "state/hero.mp4", 7, ""])
def test_a_line_cannot_name_a_path_that_is_no_output(path: object, clone: Sim) -> None:
    outside = Path(clone.root.parent, "hero.mp4")
    outside.write_bytes(clone.output(OLD) or b"")
    (clone.root / OLD).unlink()
    edit_line(clone, "hero#1", output=path)
    clone.write(HEAD + RENAMED)
    assert step_of(clone, "opening").reason is Reason.LOCKED_BEFORE


def test_a_path_through_a_link_is_not_followed(clone: Sim) -> None:
    (clone.root / "renders").rename(clone.root.parent / "elsewhere")
    (clone.root / "linked").symlink_to(clone.root.parent / "elsewhere")
    edit_line(clone, "hero#1", output="linked/hero.mp4")
    clone.write(HEAD + RENAMED)
    assert step_of(clone, "opening").reason is Reason.LOCKED_BEFORE


def test_the_users_own_video_stays_where_it_is(clone: Sim) -> None:
    """A crafted line calls a video of the user's ours: it may be copied, and is neither moved nor replaced."""
    mine = clone.output(OLD)
    (clone.root / "family").mkdir()
    (clone.root / OLD).rename(clone.root / "family/birthday.mp4")
    edit_line(clone, "hero#1", output="family/birthday.mp4")
    clone.write(HEAD + RENAMED)
    clone.apply()
    clone.write(HEAD + PAIR)
    clone.apply()
    assert clone.output("family/birthday.mp4") == mine


def make_older(sim: Sim) -> bytes:
    """Write the lock file as an older version did, without outputs."""
    path = sim.root / "clipform.lock"
    path.write_text(re.sub(r', "output": "[^"]*"', "", path.read_text(encoding="utf-8")), encoding="utf-8")
    return path.read_bytes()


def test_a_proof_leaves_an_older_lock_file_and_an_apply_adds_the_outputs(clone: Sim) -> None:
    older = make_older(clone)
    assert clone.apply(locked=True).exit_code == 0
    assert (clone.root / "clipform.lock").read_bytes() == older
    clone.apply()
    assert lock_line(clone, "hero#1")["output"] == OLD


def test_a_lock_file_without_outputs_is_read_as_before(clone: Sim) -> None:
    make_older(clone)
    assert step_of(clone, "hero").action is Action.NOOP
    clone.write(HEAD + RENAMED)
    assert step_of(clone, "opening").reason is Reason.LOCKED_BEFORE
