"""A workspace that remembers answers as one that never saw the project before, whatever was edited in between."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.clock import SystemClock
from reconciler.diagnostics import ClipformError, SpecError
from reconciler.project.model import Choice
from reconciler.project.saved_plan import fingerprint
from reconciler.project.workspace import Workspace
from reconciler.spec.clip_values import ClipValues
from reconciler.spec.memo import Memo
from reconciler.spec.model import ClipFields
from tests.project.desk import FILES, Desk, Edit, edits, picture


def answer(workspace: Workspace, draft: bool) -> list[object]:
    """Everything that a look shows, as text: what is equal in Python need not be the same."""
    try:
        loaded = workspace.load(draft)
    except SpecError as error:
        return [repr(item) for item in error.diagnostics]
    except ClipformError as error:
        return [repr(error), error.message]
    planned = workspace.plan(Choice(draft=draft), loaded)
    texts = [repr(value) for value in (planned.plan, loaded.warnings, loaded.project, planned.snapshot, planned.locked)]
    wanted = [(o.wanted.clip, o.wanted.document, repr(o.wanted), repr(o.hashes), repr(o.prices)) for o in loaded.orders]
    return [fingerprint(planned.plan), *texts, *wanted]


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(st.tuples(edits(), st.booleans()), min_size=4, max_size=16))
def test_memory_changes_no_answer(sequence: list[tuple[Edit, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        desk.save()
        for edit, draft in [(lambda desk: None, False), *sequence]:
            edit(desk)
            desk.save()
            fresh = Workspace(desk.root, SystemClock(), desk.living.env)
            assert answer(desk.living, draft) == answer(fresh, draft)


def after(desk: Desk, edit: Edit) -> list[list[object]]:
    """What the living and a fresh workspace answer after an edit."""
    edit(desk)
    desk.save()
    return [
        answer(workspace, False) for workspace in (desk.living, Workspace(desk.root, SystemClock(), desk.living.env))
    ]


def main_vars(text: str) -> Edit:
    return lambda desk: desk.specs[FILES[0]].vars.update(thing=text)


def main_default(**fields: str) -> Edit:
    return lambda desk: desk.specs[FILES[0]].defaults.update(fields)


def main_clip(name: str, **fields: str) -> Edit:
    return lambda desk: desk.specs[FILES[0]].clips.update({name: fields})


def setting(text: str) -> Edit:
    return lambda desk: setattr(desk, "setting", text)


def both(*edits: Edit) -> Edit:
    return lambda desk: [edit(desk) for edit in edits]


SEEN: dict[str, tuple[Edit, Edit]] = {
    "a variable, in a clip that did not move": (main_clip("a", prompt="a ${vars.thing}"), main_vars("1")),
    "yes for one in options": (main_clip("a", options="\n      x: ${vars.thing}"), main_vars("true")),
    "a number for its text in options": (main_clip("a", options="{x: 1.5}"), main_clip("a", options='{x: "1.5"}')),
    "a default": (main_clip("a"), main_default(duration="10")),
    "a default of all but one": (main_clip("a", duration="10"), main_default(duration="10")),
    "a default that an override changes": (
        main_clip("d", matrix="{n: [1, 2]}", overrides="[{when: {n: 1}, set: {duration: 10}}]"),
        main_default(duration="10"),
    ),
    "a default with a variable": (main_default(tags="['${vars.thing}']"), main_vars("1")),
    "a default of drafts": (
        main_clip("d", draft="vendor", model="doubao-seedance-1-5-pro-251215"),
        main_default(seed="7"),
    ),
    "a provider of all": (
        lambda desk: setattr(desk, "providers", "  other: {kind: ark}\n"),
        main_default(provider="other"),
    ),
    "a default of the file": (main_clip("a"), lambda desk: desk.specs[FILES[1]].defaults.update(duration="10")),
    "a picture under the same name": (main_clip("a"), lambda desk: picture(desk.root / "in.png", 2)),
    "the clip that a frame is of": (main_clip("a"), main_clip("a", prompt="other")),
    "the take that a frame is of": (main_clip("a", takes="2"), main_clip("a", takes="2", pick="2")),
    "yes for one in settings": (both(main_vars("1"), setting("list_lag: ${vars.thing}")), main_vars("true")),
    "a price": (main_clip("a"), lambda desk: setattr(desk, "price", "0.20")),
    "what was bought": (main_clip("a"), Desk.record),
}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    for spec in desk.specs.values():
        spec.defaults |= {"provider": "studio", "model": "doubao-seedance-1-0-pro-250528", "duration": "5"}
    return desk


@pytest.mark.parametrize("what", SEEN)
def test_each_of_these_is_seen(desk: Desk, what: str) -> None:
    first, second = SEEN[what]
    living, fresh = after(desk, first)
    assert living == fresh
    assert len(living) > 5, living  # sound: a plan
    changed, fresh = after(desk, second)
    assert changed == fresh
    assert changed != living


def test_an_edit_does_again_what_it_touched_and_no_more(desk: Desk) -> None:
    desk.save()
    before = desk.living.load()
    desk.specs[FILES[0]].clips["b"] = {"prompt": "other"}
    desk.save()
    orders = desk.living.load().orders
    same = [order.clip.name for order, old in zip(orders, before.orders, strict=True) if order is old]
    assert same == ["a", "c"]


def test_an_edit_of_defaults_parses_no_field_of_a_clip_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[Mapping[str, object]] = []
    read = ClipValues.read

    def counting(values: ClipValues, raw: Mapping[str, object]) -> ClipFields | None:
        parsed.append(raw)
        return read(values, raw)

    monkeypatch.setattr(ClipValues, "read", counting)
    desk.save()
    desk.living.load()
    assert [*map(len, parsed)] == [2, 3, 3]  # each clip's output, prompt and frame: no default
    parsed.clear()
    desk.specs[FILES[0]].defaults["duration"] = "10"
    desk.save()
    assert {order.clip.spec.duration for order in desk.living.load().orders} == {10, 5}
    assert not parsed


def test_a_broken_file_does_not_cost_what_was_known(desk: Desk) -> None:
    desk.save()
    before = desk.living.load()
    for broken in (True, True, False):
        desk.specs[FILES[0]].broken = broken
        desk.save()
        if broken:
            with pytest.raises(SpecError):
                desk.living.load()
    assert all(order is old for order, old in zip(desk.living.load().orders, before.orders, strict=True))


def test_only_the_last_rounds_are_kept() -> None:
    memory = Memo()
    for number in range(100):
        with memory.round():
            assert memory.compute(("clip", number), (), lambda: object()) is not None
    assert len(memory) == 1
    for number in range(100):
        with pytest.raises(ValueError), memory.round():
            memory.compute(("other", number), (), lambda: object())
            raise ValueError
    assert len(memory) == 2  # the last round, and the last that ended well


def test_a_round_that_does_not_grow_uses_what_is_known_and_adds_nothing() -> None:
    memory = Memo()
    with memory.round():
        known = memory.compute("a", (), object)
    for _ in range(2):
        with memory.round(grows=False):
            assert memory.compute("a", (), object) is known
            assert memory.compute("b", (), object) is not memory.compute("b", (), object)
            assert memory.intern("c", [1]) is not memory.intern("c", [1])
    assert len(memory) == 1
