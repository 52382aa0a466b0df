"""The vendor's draft, then the final from it: what goes out, by the vendor's own books."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.engine.attempt import submit
from reconciler.engine.attempt.context import AttemptContext
from reconciler.plan import approvals, vendor_drafts
from reconciler.plan.approvals import Approvals
from reconciler.project.orders import Order
from reconciler.providers.base import MediaRef
from reconciler.state.store import Store
from tests.cli.in_process import clipform
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
    assert [studio.run("show", clip).code for clip in ("hero", "hero.draft")] == [0, 0]
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


def test_a_final_is_only_asked_for_at_the_provider_that_has_its_draft(
    make: Callable[..., Rig], vendor: Emulator
) -> None:
    studio = make()
    apply(studio, "hero.draft")
    text = (studio.folder / "clipform.yaml").read_text(encoding="utf-8")
    document = json.loads(text)
    document["providers"]["other"] = document["providers"]["vendor"]
    document["defaults"]["provider"] = "other"
    (studio.folder / "clipform.yaml").write_text(json.dumps(document), encoding="utf-8")
    assert apply(studio) == {"hero": "blocked"}
    assert "its draft is at vendor" in steps(studio)["hero"]["detail"]
    assert len(requests(studio)) == 1


def test_of_several_drafts_the_picked_one_becomes_the_final_and_a_retake_is_of_a_draft(
    make: Callable[..., Rig],
) -> None:
    studio = make({"hero": {"prompt": "a lamp", "draft": "vendor", "takes": 2, "pick": 2}})
    assert studio.run("plan").document["cost"]["amount"] == "1.19"  # two drafts, one final
    apply(studio)
    first, second, final = requests(studio)
    with Store.open(studio.folder / "state", lambda: 0.0) as store:
        takes = {attempt.task: attempt.take for attempt in store.attempts() if attempt.clip == "hero.draft"}
    assert takes[final["content"][0]["draft_task"]["id"]] == 2
    assert studio.run("retake", "hero").code == studio.run("retake", "hero.draft").code == 0
    assert "retake: 2" in (studio.folder / "clipform.yaml").read_text(encoding="utf-8")
    assert studio.run("pick", "hero", "1").code == 0
    assert [steps(studio)[clip]["action"] for clip in ("hero.draft", "hero")] == ["replace", "replace"]


def test_with_animatics_the_draft_is_approved_first_and_then_its_final(
    make: Callable[..., Rig],
) -> None:
    studio = make(approval={"required": "paid"})
    assert apply(studio) == {"hero.draft": "blocked", "hero": "blocked"}
    assert studio.run("apply", "--draft", "--yes").results == {"hero": "succeeded"}
    assert [line["take"] for line in studio.run("approve", "hero").document["approved"]] == ["hero.draft"]
    assert apply(studio) == {"hero.draft": "succeeded", "hero": "blocked"}
    assert [line["take"] for line in studio.run("approve", "hero").document["approved"]] == ["hero"]
    assert apply(studio) == {"hero": "succeeded"}
    assert len(studio.run("disapprove", "hero").document["disapproved"]) == 2


def test_clips_of_an_included_file_are_remembered_with_their_drafts(make: Callable[..., Rig]) -> None:
    studio = make({"intro": {"prompt": "the sun"}}, include=["more.yaml"])
    (studio.folder / "more.yaml").write_text(json.dumps({"clips": CLIPS}), encoding="utf-8")
    studio.run("apply", "--yes", "--trust", "intro")
    read = [studio.run("plan").document["actions"] for _ in range(3)]
    assert read[0] == read[1] == read[2]
    assert [step["clip"] for step in read[0]] == ["intro", "hero.draft", "hero"]


def test_an_edit_of_a_clip_is_the_cause_of_what_follows_its_final(make: Callable[..., Rig]) -> None:
    chase = {"prompt": "a chase", "draft": "vendor", "first_frame": "${clips.hero.last_frame}", "ratio": "adaptive"}
    studio = make({**CLIPS, "chase": chase}, defaults={"chain_warning": 1})
    warnings = [item["message"] for item in studio.run("plan").document["diagnostics"]]
    assert any("chase is the last of 2 clips" in text for text in warnings)
    apply(studio)
    studio.edit("a lamp", "the sun")
    (cascade,) = studio.run("plan").document["cascades"]
    assert cascade["cause"] == "hero" and cascade["clips"] == ["chase.draft", "chase"]
    assert studio.run("freeze", "chase").code == 0
    assert {step["clip"] for step in studio.run("plan").document["actions"] if step["action"] == "replace"} == {
        "hero.draft",
        "hero",
    }


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        ({"model": "doubao-seedance-2-0-260128"}, "doubao-seedance-2-0-260128 has no drafts"),
        ({"resolution": "720p"}, "makes a final from a draft in 1080p, not in 720p"),
        ({"operation": "extend", "references": {"videos": ["https://a/b.mp4"]}}, "makes no draft of operation: extend"),
        ({"first_frame": "${clips.hero.last_frame}"}, "these clips wait for each other: hero"),
        ({"draft": "animatic"}, "draft must be vendor"),
    ],
)
def test_what_has_no_draft_is_an_error_that_is_said_once(
    make: Callable[..., Rig], clip: dict[str, Any], message: str
) -> None:
    studio = make({"hero": {**CLIPS["hero"], "ratio": "adaptive", **clip}})
    run = studio.run("validate")
    errors = [item["message"] for item in run.document["diagnostics"] if item["severity"] == "error"]
    assert run.code == 1
    assert len(errors) == 1 and message in errors[0], errors


def test_a_clip_that_is_renamed_and_edited_keeps_what_is_on_record_of_its_draft(studio: Rig) -> None:
    apply(studio)
    assert studio.run("approve", "hero").code == 0
    studio.edit('"hero"', '"opening"')
    assert {step["reason"] for step in steps(studio).values()} == {"renamed", "new"}  # and still approved
    studio.edit("a lamp", "the sun")
    document = json.loads((studio.folder / "clipform.yaml").read_text(encoding="utf-8"))
    document["moved"] = [{"from": "hero", "to": "opening"}]
    (studio.folder / "clipform.yaml").write_text(json.dumps(document), encoding="utf-8")
    actions = {(step["clip"], step["action"]) for step in studio.run("plan").document["actions"]}
    assert actions == {("opening.draft", "replace"), ("opening.draft", "remove"), ("opening", "blocked")}


def key_of(studio: Rig, clip: str) -> str:
    return str(steps(studio)[clip]["key"])


def forgotten(studio: Rig) -> str:
    """Forget the draft, and return what is said before."""
    run = clipform(studio.folder, "state", "rm", key_of(studio, "hero.draft"), "--yes")
    assert run.returncode == 0
    return run.stdout + run.stderr


def test_a_forgotten_draft_says_what_follows_and_its_final_waits_for_another_approval(studio: Rig) -> None:
    apply(studio)
    assert studio.run("approve", "hero").code == 0
    assert "hero is made from it: another draft is bought first" in forgotten(studio)
    assert [step["action"] for step in steps(studio).values()] == ["create", "blocked"]
    assert apply(studio) == {"hero.draft": "succeeded", "hero": "blocked"}  # nobody has seen this draft
    assert steps(studio)["hero"]["reason"] == "needs_approval" and len(requests(studio)) == 2
    assert studio.run("approve", "--list").document["waiting"][0]["clip"] == "hero"
    assert studio.run("approve", "hero").code == 0
    assert apply(studio) == {"hero": "succeeded"}
    assert "hero was made from it, and stays as it is" in forgotten(studio)


def test_an_approval_by_the_words_alone_buys_a_final_of_a_draft_that_nobody_saw(
    studio: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planted mistake, seen in the books."""
    monkeypatch.setattr(Approvals, "allows", lambda self, w, content: w.key in self.keys)
    apply(studio)
    assert studio.run("approve", "hero").code == 0
    assert studio.run("state", "rm", key_of(studio, "hero.draft"), "--yes").code == 0
    assert apply(studio) == {"hero.draft": "succeeded", "hero": "succeeded"}
    first, second, final = requests(studio)
    assert final["content"][0]["draft_task"]["id"] == second["task"] != first["task"]


@pytest.mark.parametrize(("days", "is_made", "deleted"), [(6.9, False, 0), (7, False, 1), (6.9, True, 1)])
def test_a_draft_stays_as_long_as_a_final_can_be_made_from_it(
    make: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch, days: float, is_made: bool, deleted: int
) -> None:
    studio = make()
    apply(studio, *(() if is_made else ("hero.draft",)))
    studio.edit("a lamp", "the sun")
    apply(studio)
    real = SystemClock.now
    monkeypatch.setattr(SystemClock, "now", lambda self: real(self) + days * DAY)
    gone = studio.run("gc", "--yes").document["objects"]
    assert [item["clip"] for item in gone].count("hero.draft") == deleted
