"""Answers that are lost at the vendors that have a list: what was taken is found there, and never asked for again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.engine.uncertain import absence
from reconciler.state.store import Store
from tests.e2e.kit import Rig, project
from tests.emulator.process import Emulator, emulator

MakeRig = Callable[[str, Path, Emulator], Rig]

CLIPS = {"hit": {"prompt": "a lamp"}}
SILENCE = {
    "ark": "its list shows neither it nor any task that proves the list current",
    "chanjing": "its list does not show it",
    "fal": "its list does not show it",
}
"""The reason for a question, by kind, where the list is empty."""
UNMARKED = {"settings": {"marker": "none"}}
"""A provider whose requests carry no number of their own."""
EXPIRY = "execution_expires_after"
LOST = [{"when": {"phase": "submit"}, "do": "drop", "accepted": True}]
NEVER_TAKEN = [{"when": {"phase": "submit"}, "do": "drop"}]
SILENT = [{"when": {"phase": "list"}, "do": "omit"}]
LATE = [{"when": {"phase": "list", "nth": 1}, "do": "omit"}]
"""The list shows nothing, for ever or the first time."""


def _emulator(folder: Path, rules: list[dict[str, Any]], *more: str) -> Iterator[Emulator]:
    path = folder / "faults.json"
    path.write_text(json.dumps({"faults": rules}), encoding="utf-8")
    with emulator("--latency", "0.05", "--no-render", "--faults", str(path), *more, cwd=folder) as running:
        yield running


@pytest.fixture(scope="module")
def losing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Takes every task and loses every answer to a submit."""
    yield from _emulator(tmp_path_factory.mktemp("losing"), LOST)


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The same, and its list shows nothing."""
    yield from _emulator(tmp_path_factory.mktemp("silent"), LOST + SILENT)


@pytest.mark.parametrize("kind", ["ark", "chanjing"])
def test_what_was_taken_is_found_in_the_list_and_carried_on_with(
    kind: str, losing: Emulator, rig: MakeRig, tmp_path: Path
) -> None:
    loser = rig(kind, project(kind, tmp_path / "project", losing, CLIPS), losing)
    applied = loser.run("apply", "--yes")
    assert applied.code == 0, applied.text
    assert applied.results == {"hit": "succeeded"}
    assert len(loser.ledger()) == 1
    assert loser.run("apply", "--yes").results == {}


@pytest.mark.parametrize("stated", [{}, {"seed": 7}], ids=str)
def test_a_model_without_a_seed_and_a_marker_is_asked_about_and_never_bought_twice(
    stated: dict[str, Any], losing: Emulator, rig: MakeRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ark's default model reports seeds of its own; the list is believed at once, as if two minutes had passed."""
    monkeypatch.setattr(absence.ProofTerms, "settle", 0.0)
    monkeypatch.setattr(absence, "APART", 0.0)
    clips = {"hit": {"prompt": "a lamp", **stated}}
    folder = project("ark", tmp_path / "project", losing, clips, provider=UNMARKED)
    loser = rig("ark", folder, losing)
    for _ in range(3):
        asked = loser.run("apply", "--yes")
        assert asked.code == 3, asked.text
        assert "may be it" in asked.text
    assert len(loser.ledger()) == 1
    checked = loser.run("validate")
    assert (checked.code, [problem["code"] for problem in checked.document["diagnostics"]]) == (
        0,
        ["seed-not-taken"] if stated else [],
    )


def test_as_many_lost_tasks_as_there_are_are_each_recognised_by_a_number_of_its_own(
    losing: Emulator, rig: MakeRig, tmp_path: Path
) -> None:
    """They ask for the same, and Ark's list shows no prompt and no seed of ours."""
    folder = project("ark", tmp_path / "project", losing, {"hit": {"prompt": "a lamp", "takes": 3}})
    loser = rig("ark", folder, losing)
    applied = loser.run("apply", "--yes")
    assert applied.code == 0, applied.text
    numbers = [entry["request"]["execution_expires_after"] for entry in loser.ledger()]
    assert len(set(numbers)) == 3
    assert all(172_801 <= number <= 259_199 for number in numbers)
    receipts = [json.loads(line) for line in (folder / "state" / "receipts").read_bytes().rstrip(b"\0").splitlines()]
    assert [line["expires_after"] for line in receipts if line["event"] == "intent"] == numbers
    with Store.open(folder / "state", lambda: 0.0) as store:
        assert [attempt.expires_after for attempt in store.attempts()] == numbers


@pytest.mark.parametrize(
    "more", [{"provider": UNMARKED}, {"defaults": {"options": {EXPIRY: 3600}}}], ids=["off", "own"]
)
def test_nothing_is_drawn_where_that_is_switched_off_or_the_user_states_it(
    more: dict[str, Any], vendor: Emulator, rig: MakeRig, tmp_path: Path
) -> None:
    owner = rig("ark", project("ark", tmp_path / "project", vendor, CLIPS, **more), vendor)
    applied = owner.run("apply", "--yes")
    assert applied.code == 0, applied.text
    assert [entry["request"].get(EXPIRY) for entry in owner.ledger()] == [3600 if "defaults" in more else None]


def test_a_reseller_is_sent_no_number_unless_the_project_says_so(
    vendor: Emulator, rig: MakeRig, tmp_path: Path
) -> None:
    owner = rig("3hei", project("3hei", tmp_path / "project", vendor, CLIPS), vendor)
    assert owner.run("apply", "--yes").code == 0
    assert [EXPIRY in entry["request"] for entry in owner.ledger()] == [False]
    more = {"settings": {"marker": "expires_after"}}
    asked = rig("3hei", project("3hei", tmp_path / "other", vendor, {"b": {"prompt": "b"}}, provider=more), vendor)
    assert EXPIRY in asked.run("apply", "--yes").text, "its emulator refuses what its page does not show"


def test_lost_requests_at_fal_are_told_apart_by_a_number_of_their_own(
    losing: Emulator, rig: MakeRig, tmp_path: Path
) -> None:
    """Seedance 2.0 has a field for one, Kling has none: there the whole input is compared."""
    kling = {"prompt": "a lamp", "model": "fal-ai/kling-video/v3/pro/text-to-video"}
    clips = {"hit": {"prompt": "a lamp", "takes": 2}, "kling": kling}
    loser = rig("fal", project("fal", tmp_path / "project", losing, clips), losing)
    _apply_until_listed(loser)
    marks = [entry["request"].get("end_user_id") for entry in loser.ledger()]
    assert len(set(marks)) == len(marks) == 3
    assert _tasks(loser) == {entry["task"] for entry in loser.ledger()}


def test_a_task_with_its_address_on_record_is_not_taken_for_a_lost_request(rig: MakeRig, tmp_path: Path) -> None:
    """The history names it without the address. Both requests are equal, and only the second answer is lost."""
    second = [{"when": {"phase": "submit", "nth": 2}, "do": "drop", "accepted": True}]
    clips = {"hit": {"prompt": "a lamp", "model": "fal-ai/kling-video/v3/pro/text-to-video", "takes": 2}}
    for running in _emulator(tmp_path, second):
        loser = rig("fal", project("fal", tmp_path / "project", running, clips), running)
        _apply_until_listed(loser)
        assert len(loser.ledger()) == 2
        (plain,) = [task for task in _tasks(loser) if "@" not in task]
        assert plain == loser.ledger()[1]["task"]


def _apply_until_listed(loser: Rig) -> None:
    """Apply again while fal's history does not show what waits or runs; nothing is sent again meanwhile."""
    for _ in range(50):
        if (applied := loser.run("apply", "--yes")).code == 0:
            return
        assert "its list does not show it" in applied.text, applied.text
    raise AssertionError("its list never showed it")


def _tasks(loser: Rig) -> set[str | None]:
    with Store.open(loser.folder / "state", lambda: 0.0) as store:
        return {attempt.task for attempt in store.attempts()}


def test_a_lost_database_finds_the_lost_task_by_the_number_in_the_receipts(
    rig: MakeRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for late in _emulator(tmp_path, LOST + LATE):
        loser = rig("ark", project("ark", tmp_path / "project", late, CLIPS), late)
        assert loser.run("apply", "--yes").code == 3
        for file in (loser.folder / "state").glob("clipform.db*"):
            file.unlink()
        found = loser.run("apply", "--yes")
        assert found.code == 0, found.text
        assert len(loser.ledger()) == 1


def test_a_lost_task_of_the_other_service_tier_is_found_at_one_list_request_a_second(
    rig: MakeRig, tmp_path: Path
) -> None:
    """The emulator refuses a list that is asked for sooner, and a list without a filter hides the tier."""
    clips = {
        "hit": {"prompt": "a lamp", "model": "doubao-seedance-1-0-pro-250528", "options": {"service_tier": "flex"}}
    }
    provider = {"settings": {"lists_per_second": 1}}
    for strict in _emulator(tmp_path, LOST, "--list-rate", "1"):
        loser = rig("ark", project("ark", tmp_path / "project", strict, clips, provider=provider), strict)
        applied = loser.run("apply", "--yes")
        assert applied.code == 0, applied.text
        assert len(loser.ledger()) == 1


@pytest.mark.parametrize("kind", ["ark", "chanjing", "fal"])
def test_a_list_that_shows_nothing_proves_nothing(kind: str, silent: Emulator, rig: MakeRig, tmp_path: Path) -> None:
    loser = rig(kind, project(kind, tmp_path / "project", silent, CLIPS), silent)
    for _ in range(3):
        asked = loser.run("apply", "--yes")
        assert asked.code == 3, asked.text
        assert SILENCE[kind] in asked.text
    assert len(loser.ledger()) == 1
    assert "will be looked up at vendor" in loser.run("plan").text
    assert loser.run("resolve", "hit", "--abandon", "--yes").code == 0


@pytest.mark.parametrize("kind", ["ark", "chanjing"])
def test_a_list_that_is_late_is_asked_again_by_the_next_run(kind: str, rig: MakeRig, tmp_path: Path) -> None:
    for late in _emulator(tmp_path, LOST + LATE):
        loser = rig(kind, project(kind, tmp_path / "project", late, CLIPS), late)
        assert loser.run("apply", "--yes").code == 3
        found = loser.run("apply", "--yes")
        assert found.code == 0, found.text
        assert "was accepted" in found.text
        assert len(loser.ledger()) == 1


def test_what_was_not_taken_is_not_sent_again_before_the_list_has_settled(rig: MakeRig, tmp_path: Path) -> None:
    for deaf in _emulator(tmp_path, NEVER_TAKEN):
        loser = rig("ark", project("ark", tmp_path / "project", deaf, CLIPS), deaf)
        for _ in range(2):
            assert loser.run("apply", "--yes").code == 3
        assert loser.ledger() == []


@pytest.mark.parametrize("kind", ["ark", "chanjing", "fal"])
def test_a_lost_state_is_recovered_and_nothing_is_to_buy(
    kind: str, vendor: Emulator, rig: MakeRig, tmp_path: Path
) -> None:
    clips = {"one": {"prompt": "a lamp"}, "two": {"prompt": "a candle"}}
    owner = rig(kind, project(kind, tmp_path / "project", vendor, clips), vendor)
    assert owner.run("apply", "--yes").code == 0
    bought = owner.ledger()
    for name in ("clipform.db", "clipform.db-journal", "receipts"):
        (owner.folder / "state" / name).unlink(missing_ok=True)
    lost = next(iter(sorted((owner.folder / "state" / "objects").glob("??/*.mp4"))))
    lost.unlink()
    for output in (owner.folder / "renders").iterdir():
        output.unlink()

    for _ in range(2):  # the second time changes nothing
        recovered = owner.run("recover")
        assert recovered.code == 0, recovered.text
    planned = owner.run("plan").document
    assert sorted(action["action"] for action in planned["actions"]) == ["restore", "resume"]
    applied = owner.run("apply", "--yes")
    assert applied.code == 0, applied.text
    assert owner.ledger() == bought
    assert len(list((owner.folder / "renders").iterdir())) == 2


def test_a_lost_final_is_found_by_the_draft_that_it_names(losing: Emulator, rig: MakeRig, tmp_path: Path) -> None:
    """It carries no number of its own. Both finals are of one model, and a list tells them apart by their drafts."""
    clips = {name: {"prompt": name, "draft": "vendor"} for name in ("lamp", "sun")}
    defaults = {"model": "doubao-seedance-2-5-260628"}
    folder = project("ark", tmp_path / "project", losing, clips, defaults=defaults)
    loser = rig("ark", folder, losing)
    applied = loser.run("apply", "--yes")
    assert applied.code == 0, applied.text
    with Store.open(folder / "state", lambda: 0.0) as store:
        tasks = {attempt.task: attempt.clip for attempt in store.attempts()}
    items = {tasks[entry["task"]]: entry["request"]["content"][0] for entry in loser.ledger()}
    made_from = {clip: tasks[item["draft_task"]["id"]] for clip, item in items.items() if "draft_task" in item}
    assert made_from == {"lamp": "lamp.draft", "sun": "sun.draft"}
    assert len(loser.ledger()) == 4
