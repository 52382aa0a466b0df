"""The vendor's draft, then the final from it: what goes out, by the vendor's own books."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.engine.attempt import submit
from reconciler.engine.attempt.context import AttemptContext
from reconciler.plan import approvals, vendor_drafts
from reconciler.project.orders import Order
from reconciler.providers.base import MediaRef
from tests.e2e.kit import Rig, project
from tests.e2e.shared import MakeRig
from tests.emulator.process import Emulator

MODEL = "doubao-seedance-2-5-260628"
CLIPS = {"hero": {"prompt": "a lamp", "draft": "vendor"}}
PRICES = {"prices": [{"resolution": "480p", "per_clip": 0.17}, {"per_clip": 0.85}]}
DAY = 86_400.0


@pytest.fixture
def make(rig: MakeRig, vendor: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Rig]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))

    def made(clips: dict[str, Any] = CLIPS, **more: Any) -> Rig:
        defaults = {"model": MODEL, **more.pop("defaults", {})}
        folder = project("ark", tmp_path / "film", vendor, clips, provider=PRICES, defaults=defaults, **more)
        return rig("ark", folder, vendor)

    return made


@pytest.fixture
def studio(make: Callable[..., Rig]) -> Rig:
    return make(approval={"required": "paid", "of": "vendor_draft"})


def apply(studio: Rig, *clips: str) -> dict[str, str]:
    return studio.run("apply", "--yes", "--trust", *clips).results


def steps(studio: Rig) -> dict[str, dict[str, Any]]:
    return {step["clip"]: step for step in studio.run("plan").document["actions"]}


def requests(studio: Rig) -> list[dict[str, Any]]:
    """The bodies that the vendor accepted, without the number by which a lost task is recognised."""
    bodies = [entry["request"] | {"task": entry["task"]} for entry in studio.ledger()]
    return [{name: value for name, value in body.items() if name != "execution_expires_after"} for body in bodies]


def sources(studio: Rig) -> list[str]:
    """The words of the draft that each final was made from."""
    drafts = {body["task"]: body["content"][0].get("text", "") for body in requests(studio)}
    items = [body["content"][0] for body in requests(studio)]
    return [drafts[item["draft_task"]["id"]] for item in items if item["type"] == "draft_task"]


def test_a_draft_is_bought_seen_and_approved_and_then_its_final(studio: Rig) -> None:
    assert studio.run("approve", "hero").code == 1  # there is nothing to look at
    assert apply(studio) == {"hero.draft": "succeeded", "hero": "blocked"}
    assert steps(studio)["hero"]["reason"] == "needs_approval"
    assert studio.run("approve", "hero").code == 0
    assert apply(studio) == {"hero": "succeeded"}
    draft, final = requests(studio)
    task = draft.pop("task")
    assert draft == {
        "model": MODEL,
        "content": [{"type": "text", "text": "a lamp"}],
        "draft": True,
        "resolution": "480p",
        "ratio": "16:9",
        "duration": 5,
        "generate_audio": True,
    }
    final.pop("task")
    assert final == {"model": MODEL, "content": [{"type": "draft_task", "draft_task": {"id": task}}]}
    assert {step["action"] for step in steps(studio).values()} == {"noop"}
    assert {path.name for path in (studio.folder / "renders").iterdir()} == {"hero.mp4", "hero.draft.mp4"}


def edited(studio: Rig) -> None:
    """Buy a draft, approve it, then say something else, and buy the draft of that."""
    apply(studio)
    assert studio.run("approve", "hero").code == 0
    studio.edit("a lamp", "the sun")
    assert apply(studio) == {"hero.draft": "succeeded", "hero": "blocked"}
    assert studio.run("approve", "hero").code == 0
    apply(studio)


def test_other_words_take_the_approval_away_and_need_another_draft(studio: Rig) -> None:
    edited(studio)
    assert sources(studio) == ["the sun"]


def test_the_books_show_a_final_of_other_words(studio: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def any_draft(context: AttemptContext, order: Order) -> MediaRef:
        done = [attempt for attempt in context.ports.store.attempts() if attempt.clip == order.clip.draft]
        return MediaRef("task", str(done[0].task))

    monkeypatch.setattr(submit.vendor_drafts, "task_of", any_draft)
    edited(studio)
    assert sources(studio) == ["a lamp"]


def aged(studio: Rig, monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    """Buy a draft, approve it, and apply days later."""
    apply(studio)
    assert studio.run("approve", "hero").code == 0
    real = SystemClock.now
    monkeypatch.setattr(SystemClock, "now", lambda self: real(self) + days * DAY)
    studio.run("apply", "--yes", "--trust")


def test_a_draft_can_be_used_for_seven_days_and_then_another_one_is_needed(
    studio: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    aged(studio, monkeypatch, 7)
    assert sources(studio) == []
    blocked = steps(studio)["hero"]
    assert (blocked["action"], blocked["reason"]) == ("blocked", "draft_unusable")
    assert "its draft expired on" in blocked["detail"]
    assert [line.split()[-2:] for line in blocked["way_out"]] == [["retake", "hero"]]
    assert studio.run("retake", "hero").code == 0
    assert apply(studio) == {"hero.draft": "succeeded", "hero": "blocked"}  # and it needs another approval
    assert len(requests(studio)) == 2


def test_a_draft_is_used_shortly_before_it_expires(studio: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    aged(studio, monkeypatch, 6.99)
    assert sources(studio) == ["a lamp"]


def test_the_books_show_a_final_of_an_old_draft(studio: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vendor_drafts, "obstacle", lambda *_: "")
    aged(studio, monkeypatch, 7)
    assert sources(studio) == ["a lamp"]


def test_an_approved_draft_allows_no_final_that_nobody_approved(studio: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(studio)
    apply(studio)
    assert sources(studio) == []
    real = approvals.is_required
    monkeypatch.setattr(approvals, "is_required", lambda rule, w: '"task"' not in w.document and real(rule, w))
    apply(studio)
    assert sources(studio) == ["a lamp"]  # the books show a check that is left out


def test_without_a_rule_both_are_one_purchase_and_a_draft_that_exists_is_used(make: Callable[..., Rig]) -> None:
    studio = make()
    assert studio.run("plan").document["cost"]["amount"] == "1.02"
    assert apply(studio, "hero.draft") == {"hero.draft": "succeeded"}
    assert apply(studio) == {"hero": "succeeded"}  # as after a crash between the two
    assert sources(studio) == ["a lamp"]
    assert len(requests(studio)) == 2
