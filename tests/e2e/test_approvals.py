"""No paid request goes out whose key nobody has approved, whatever happens before it; by the vendor's own books."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.context import Context
from reconciler.engine.attempt import submit
from reconciler.plan import approvals
from reconciler.plan.approvals import Approval, ApprovalBook, Approvals
from reconciler.records import Attempt, State
from reconciler.state.budget import NewAttempt
from reconciler.state.store import Store
from tests.e2e.kit import Rig, project
from tests.e2e.shared import MakeRig
from tests.emulator.process import Emulator

CLIPS = {"lamp": {"prompt": "a lamp"}, "sun": {"prompt": "the sun", "takes": 2}}
PRICES = {"prices": [{"model": "*", "per_clip": 0.5}]}


@pytest.fixture
def studio(rig: MakeRig, vendor: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    folder = project("ark", tmp_path / "film", vendor, CLIPS, provider=PRICES, approval={"required": "paid"})
    return rig("ark", folder, vendor)


def keys(studio: Rig) -> dict[str, list[str]]:
    """The present keys of each clip."""
    found: dict[str, list[str]] = {}
    for step in studio.run("plan").document["actions"]:
        found.setdefault(step["clip"], []).append(step["key"])
    return found


def book(studio: Rig) -> ApprovalBook:
    file = studio.folder / "clipform.approvals"
    return approvals.parse(file.read_text(encoding="utf-8") if file.exists() else "")


def write(studio: Rig, *lines: Approval) -> None:
    text = approvals.written(ApprovalBook(lines))
    (studio.folder / "clipform.approvals").write_text(text, encoding="utf-8")


def approve(studio: Rig, clip: str) -> None:
    """What `approve` writes, without a draft to look at: drawing one takes longer than all the rest."""
    lines = [
        Approval(clip, key, "draft", "sha256:ab", "2026-11-30T20:00:00Z", "Ana <a@b>") for key in keys(studio)[clip]
    ]
    write(studio, *book(studio).approvals, *lines)


def bought(studio: Rig) -> list[str]:
    """The key of every request that the vendor has in its books."""
    with Store.open(studio.folder / "state", lambda: 0.0) as store:
        by_task = {attempt.task: attempt.key for attempt in store.attempts()}
    return [by_task[entry["task"]] for entry in studio.ledger()]


class Story:
    """Random changes of a project, and what was approved whenever something could be bought."""

    def __init__(self, studio: Rig, patch: pytest.MonkeyPatch, seed: int) -> None:
        self.studio, self.dice, self.names = studio, random.Random(seed), dict.fromkeys(CLIPS)
        self.paid: list[str] = []
        self.withdraws = False
        confirm = Context.confirm

        def withdrawn(app: Context, *args: object, **more: object) -> None:
            confirm(app, *args, **more)  # type: ignore[arg-type]  # passed on
            if self.withdraws:
                write(studio)

        patch.setattr(Context, "confirm", withdrawn)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            clip = self.dice.choice([*self.names])
            self.dice.choice([self.approve, self.approve, self.edit, self.retake, self.rename, self.apply, self.late])(
                clip
            )
        for name in self.names:
            self.approve(name)
        self.apply("")

    def approve(self, clip: str) -> None:
        approve(self.studio, clip)

    def edit(self, clip: str) -> None:
        self.studio.edit('"prompt": "', '"prompt": "very ')

    def retake(self, clip: str) -> None:
        assert self.studio.run("retake", clip).code == 0

    def rename(self, clip: str) -> None:
        self.names.pop(clip)
        self.names[f"{clip}x"] = None
        self.studio.edit(f'"{clip}":', f'"{clip}x":')

    def apply(self, clip: str) -> None:
        allowed = {line.key for line in book(self.studio).approvals} if not self.withdraws else set()
        self.studio.run("apply", "--yes", "--trust")
        now = bought(self.studio)
        assert set(now[len(self.paid) :]) <= allowed
        self.paid = now

    def late(self, clip: str) -> None:
        """Every approval is taken back while the apply asks."""
        self.withdraws = True
        self.apply(clip)
        self.withdraws = False


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_bought_that_nobody_approved(studio: Rig, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    story = Story(studio, monkeypatch, seed)
    story.run(8)
    assert story.paid


def not_sent_and_disapproved(studio: Rig) -> list[str]:
    """What is bought of a clip whose first request did not get out, and whose approval was then taken back."""
    approve(studio, "lamp")
    (key,) = keys(studio)["lamp"]
    with Store.open(studio.folder / "state", lambda: 1.0) as store:  # as after a kill before the request
        site = {"provider": "vendor", "kind": "ark", "endpoint": f"{studio.vendor.api}/ark"}
        new = NewAttempt("m", key=key, clip="lamp", take=1, model="m", cost_micros=500_000, currency="USD", **site)
        store.move(store.begin(new), State.NOT_SENT)
    assert studio.run("disapprove", "lamp").code == 0
    studio.run("apply", "--yes", "--trust", "lamp")
    return bought(studio)


def test_what_did_not_get_out_needs_its_approval_again(studio: Rig) -> None:
    assert not_sent_and_disapproved(studio) == []
    assert [step["reason"] for step in studio.run("plan", "lamp").document["actions"]] == ["needs_approval"]


def test_the_books_show_a_check_that_is_left_out_for_what_was_begun(
    studio: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, begin, refuses = set[str](), Store.begin, Approvals.refuses

    def noted(self: Store, new: NewAttempt, *more: Any) -> Attempt:
        begun.add(new.key)
        return begin(self, new, *more)

    monkeypatch.setattr(Store, "begin", noted)
    monkeypatch.setattr(Approvals, "refuses", lambda self, w, *more: w.key not in begun and refuses(self, w, *more))
    assert len(not_sent_and_disapproved(studio)) == 1


def test_a_clip_that_waits_stops_nothing_else_and_a_rename_keeps_its_approval(studio: Rig) -> None:
    approve(studio, "lamp")
    studio.edit('"lamp":', '"lantern":')
    applied = studio.run("apply", "--yes", "--trust")
    assert (applied.code, applied.results) == (3, {"lantern": "succeeded", "sun": "blocked"})
    assert len(bought(studio)) == 1


def _by_name(patch: pytest.MonkeyPatch) -> None:
    """An approval is of a clip, whatever it says by now."""
    names = {"lamp", "sun"}
    patch.setattr(Approvals, "refuses", lambda self, w, *_: bool(self.keys) is False or w.clip.rstrip("x") not in names)


def _not_for_retakes(patch: pytest.MonkeyPatch) -> None:
    """A retake was approved with its clip."""
    real = approvals.is_required
    patch.setattr(approvals, "is_required", lambda rule, w: '"retake"' not in w.document and real(rule, w))


def _only_in_the_plan(patch: pytest.MonkeyPatch) -> None:
    """The purchase itself asks no more."""
    patch.setattr(submit, "require_approval", lambda *_: None)


@pytest.mark.parametrize("plant", [_by_name, _not_for_retakes, _only_in_the_plan])
def test_the_story_notices_a_check_that_is_left_out(
    studio: Rig, monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    plant(monkeypatch)
    story = Story(studio, monkeypatch, 0)
    with pytest.raises(AssertionError):
        for act in (story.approve, story.late, story.approve, story.apply, story.edit, story.retake, story.apply):
            act("sun")
