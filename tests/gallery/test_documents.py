"""The gallery's values: every clip a card, what a click would cost, and one clip whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.app import main
from reconciler.clock import SystemClock
from reconciler.diagnostics import SpecError
from reconciler.gallery.document import cards as model
from reconciler.gallery.document import detail, media
from reconciler.gallery.document.index import PlanIndex
from reconciler.gallery.document.model import Running, dumps
from reconciler.plan.model import Action, Cost, Plan, Reason, Step
from reconciler.plan.subset import subset
from reconciler.project.model import Choice, Planned
from reconciler.project.workspace import Workspace
from reconciler.state.store import Store

SPEC = """\
version: 1
providers:
  studio: {kind: ark, api_key: "${env.ARK_API_KEY}", prices: [{model: "*", per_clip: 0.50}]}
budget: {currency: USD}
defaults: {duration: 1, resolution: 480p, ratio: 1:1}
clips:
  sun: {prompt: mist at sunrise, takes: 2, pick: 2, tags: [launch], description: <b>first</b>, first_frame: lamp.png}
  sea: {prompt: waves, first_frame: "${clips.sun.last_frame}"}
  hero: {prompt: a lamp, provider: studio, model: doubao-seedance-1-0-pro-250528, duration: 5, ratio: 16:9, takes: 2}
"""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f6178e"
    "c10000000049454e44ae426082"
)


def a_project(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "clipform.yaml").write_text(SPEC, encoding="utf-8")
    (folder / "lamp.png").write_bytes(PNG)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its drafts are made, its paid clip is not."""
    folder = a_project(tmp_path_factory.mktemp("gallery") / "aurora")
    assert main(["-C", str(folder), "--json", "apply", "--yes", "sun", "sea"]) == 0
    return folder


@pytest.fixture
def edited(made: Path) -> Callable[[str, str], Planned]:
    """The plan after an edit; the file is put back by the next one."""

    def plan(old: str = "", new: str = "") -> Planned:
        assert old in SPEC
        (made / "clipform.yaml").write_text(SPEC.replace(old, new), encoding="utf-8")
        return planned(made)

    return plan


def planned(folder: Path) -> Planned:
    workspace = Workspace(folder, SystemClock(), {"ARK_API_KEY": "k"})
    return workspace.plan(Choice(), workspace.load())


def document(of: Planned, running: model.Progress | None = None) -> dict[str, Any]:
    found = model.document(of, model.DocumentContext("aurora", live=True, draft=False, now=0.0), running)
    values: dict[str, Any] = json.loads(dumps(found))
    return values


def cards(of: Planned, running: model.Progress | None = None) -> dict[str, Any]:
    return {card["id"]: card for card in document(of, running)["cards"]}


def details(name: str, of: Planned, folder: Path) -> dict[str, Any]:
    store = Store.read(folder / "state", SystemClock().now)
    assert store is not None
    with store:
        found = detail.detail(name, PlanIndex(of), store.events(name, 200))
    values: dict[str, Any] = json.loads(dumps(found))
    return values


def test_every_clip_is_a_card_in_the_order_of_the_file(edited: Callable[..., Planned]) -> None:
    found = document(edited())
    assert [(card["id"], card["state"]) for card in found["cards"]] == [
        ("sun", "ready"),
        ("sea", "ready"),
        ("hero", "new"),
    ]
    sun, sea, hero = found["cards"]
    assert (sun["pick"], sun["takes"], sun["tags"], sun["description"]) == (2, 2, ["launch"], "<b>first</b>")
    assert (sun["file"], sun["used_by"], sea["needs"]) == ({"path": "clipform.yaml", "line": 7}, ["sea"], ["sun"])
    assert (sun["duration"], sun["shown"]["seconds"], sun["shown"]["width"]) == (1, 1.0, 640)
    assert sun["shown"]["video"] == f"media/{sun['shown']['sha256']}.mp4"
    assert (hero["shown"], hero["created"]) == (None, None)
    assert hero["estimate"] == {"amount": "0.50", "currency": "USD", "least": None, "source": ""}
    assert found["cost"] == {"amount": "1.00", "currency": "USD", "unpriced": 0, "least": None}
    assert found["summary"]["create"] == 2


def test_an_estimate_that_is_a_range_has_both_ends_and_its_source(made: Path) -> None:
    spec = SPEC.replace("per_clip: 0.50", "per_second: 0.10, source: ours").replace(
        "doubao-seedance-1-0-pro-250528, duration: 5", "doubao-seedance-1-5-pro-251215, duration: -1"
    )
    (made / "clipform.yaml").write_text(spec, encoding="utf-8")
    plan = planned(made)
    both = {"amount": "1.20", "currency": "USD", "least": "0.40", "source": "ours"}
    assert cards(plan)["hero"]["estimate"] == both
    assert [take["estimate"] for take in details("hero", plan, made)["takes"]] == [both, both]
    assert document(plan)["cost"] == {"amount": "2.40", "currency": "USD", "unpriced": 0, "least": "0.80"}


def test_a_click_on_a_clip_costs_all_its_takes_and_what_it_needs(edited: Callable[..., Planned]) -> None:
    found = cards(edited("mist at", "fog at"))
    bill = {"currency": "USD", "unpriced": 0, "least": None, "steps": 2}
    assert found["hero"]["apply"] == bill | {"amount": "1.00", "expected": None, "with": []}
    assert found["sea"]["apply"].pop("expected") > 0  # both were drafted before
    assert found["sea"]["apply"] == bill | {"amount": "0", "with": ["sun"]}
    assert found["sun"]["apply"]["steps"] == 2
    assert cards(edited())["sun"]["apply"] is None


def test_a_changed_clip_shows_what_it_was_beside_what_it_is_to_be(edited: Callable[..., Planned], made: Path) -> None:
    before = cards(edited())["sun"]["shown"]
    plan = edited("mist at", "fog at")
    card = cards(plan)["sun"]
    assert (card["state"], card["shown"]) == ("changed", before)
    found = details("sun", plan, made)
    assert found["previous"]["media"] == before
    assert found["changes"] == [
        {
            "field": "prompt",
            "before": "mist at sunrise",
            "after": "fog at sunrise",
            "words": [["-", "mist"], ["+", "fog"], ["=", " at sunrise"]],
        }
    ]


def test_a_clip_whole_has_its_takes_inputs_facts_and_events(edited: Callable[..., Planned], made: Path) -> None:
    plan = edited()
    sun, sea = details("sun", plan, made), details("sea", plan, made)
    assert [(take["take"], take["picked"], take["state"]) for take in sun["takes"]] == [
        (1, False, "ready"),
        (2, True, "ready"),
    ]
    assert sun["takes"][0]["media"]["sha256"] != sun["takes"][1]["media"]["sha256"]
    [frame] = sun["inputs"]
    assert frame["text"] == "lamp.png" and frame["media"].startswith("media/input/")
    assert media.media_index(plan).pictures == {frame["media"].rpartition("/")[2]: "lamp.png"}
    assert (sea["inputs"][0]["clip"], sea["inputs"][0]["part"]) == ("sun", "last_frame")
    assert ["prompt", "mist at sunrise"] in sun["facts"]
    assert sun["events"][-1]["sequence"] > sun["events"][0]["sequence"]
    assert detail.detail("nobody", PlanIndex(plan), ()) is None


def test_a_clip_that_is_gone_stands_last_while_it_has_a_file(edited: Callable[..., Planned]) -> None:
    line = next(line for line in SPEC.splitlines(keepends=True) if "  sea:" in line)
    found = document(edited(line, ""))
    assert [card["id"] for card in found["cards"]] == ["sun", "hero", "sea"]
    gone = found["cards"][-1]
    assert (gone["state"], gone["file"], gone["shown"]["seconds"]) == ("undeclared", None, 1.0)


def test_the_revision_tells_plans_apart_and_does_not_move_with_progress(edited: Callable[..., Planned]) -> None:
    plan = edited()
    running: model.Progress = {"hero": Running(40, 1.0, None, "running")}
    assert document(plan)["revision"] == document(plan, running)["revision"]
    assert cards(plan, running)["hero"]["state"] == "running"
    words = document(edited("<b>first</b>", "second"))["revision"]
    prompt = document(edited("a lamp", "a torch"))["revision"]
    assert len({document(plan)["revision"], words, prompt}) == 3
    assert words.startswith(model.plan_mark(plan.plan)) and not prompt.startswith(model.plan_mark(plan.plan))


def test_a_patch_holds_what_is_new_and_nothing_else(edited: Callable[..., Planned]) -> None:
    line = next(line for line in SPEC.splitlines(keepends=True) if "  hero:" in line)
    edits = ((), ("waves", "surf"), (line, ""))
    before, after, without = (model.card_list(PlanIndex(edited(*edit))).cards for edit in edits)
    assert model.patch(before, before) == model.Patch([], [], None)
    assert [card.id for card in model.patch(before, after).cards] == ["sea"]
    assert model.patch(before, without) == model.Patch([], ["hero"], ["sun", "sea"])


def test_a_broken_spec_keeps_the_cards_and_shows_its_lines(edited: Callable[..., Planned], made: Path) -> None:
    plan = edited()
    with pytest.raises(SpecError) as caught:
        edited("prompt: waves", "promt: waves")
    found = model.document(plan, model.DocumentContext("a", True, False, 0.0, problems=caught.value.diagnostics))
    assert found.head.stale is True
    [problem] = json.loads(dumps(found.head.diagnostics))
    assert problem["line"] == 8 and problem["lines"][-1][0] == 8 and "promt" in problem["lines"][-1][1]


def step(clip: str, action: Action, *needs: str, reason: Reason = Reason.NEW, output: str | None = None) -> Step:
    named = tuple((need, 1) for need in needs)
    return Step(clip, 1, action, reason, f"v1:{clip}", needs=named, output=output, cost=Cost(Decimal(1)))


@pytest.mark.parametrize(
    ("clips", "done"),
    [
        (["a"], ["a"]),
        (["c"], ["a", "b", "c"]),
        (["twin"], ["a", "twin"]),
        (["ready"], []),
        (["stuck"], []),
        (["moved"], ["moved"]),
        (["nobody"], []),
    ],
)
def test_a_portion_is_the_clips_and_what_they_need(clips: list[str], done: list[str]) -> None:
    plan = Plan(
        (
            step("ready", Action.NOOP),
            step("a", Action.CREATE, "ready"),
            step("b", Action.CREATE, "a"),
            step("c", Action.REPLACE, "b", "ready"),
            step("d", Action.REPLACE, "c"),
            step("twin", Action.RESTORE, "a", reason=Reason.SHARED),
            step("moved", Action.MOVE),
            step("stuck", Action.BLOCKED),
            step("stuck", Action.REMOVE, output="old.mp4"),
        ),
        unbind=(("gone", 1),),
    )
    found = subset(plan, clips)
    assert [step.clip for step in found.changes()] == done
    assert found.unbind == ()


def test_a_card_costs_what_all_takes_cost_and_has_the_reasons_of_all_its_steps(edited: Callable[..., Planned]) -> None:
    plan = edited()
    done = {
        step.key: replace(each, cost_micros=300_000, currency="USD")
        for step in plan.plan.steps
        if (each := plan.snapshot.generations.get(step.key)) is not None
    }
    lost = Step("sun", 1, Action.RESUME, Reason.NOT_REFERENCED, "v1:old", detail="task cgt-9")
    index = PlanIndex(
        replace(
            plan,
            snapshot=replace(plan.snapshot, generations=done),
            plan=replace(plan.plan, steps=(*plan.plan.steps, lost)),
        )
    )
    sun = next(card for card in model.card_list(index).cards if card.id == "sun")
    assert sun.state == "ready" and sun.cost is not None and sun.cost.amount == "0.60"
    assert [(step["action"], step["sentence"], step["detail"]) for step in sun.also] == [
        ("resume", Reason.NOT_REFERENCED.sentence, "task cgt-9")
    ]
    hero = next(card for card in model.card_list(index).cards if card.id == "hero")
    assert [(step["action"], step["take"]) for step in hero.also] == [("create", 2)]


def test_what_a_clip_will_cost_is_the_price_of_all_its_takes(edited: Callable[..., Planned]) -> None:
    hero = cards(edited())["hero"]
    assert hero["due"] == {"amount": "1.00", "currency": "USD", "unpriced": 0, "least": None}
    assert cards(edited())["sun"]["due"] is None
