"""Patterns of clips in commands that settle and move: one question for many, and no second payment."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.cli.app import main
from tests.e2e.kit import Rig, project
from tests.emulator.process import Emulator, emulator

MakeRig = Callable[[str, Path, Emulator], Rig]
SHOTS = {name: {"prompt": name} for name in ("one", "two", "three")}
LOST = {"faults": [{"when": {"phase": "submit", "nth": [1, 2, 3]}, "do": "drop", "accepted": True}]}
MATRIX = {"ratio": ["16:9", "9:16"], "lang": ["en", "zh"]}
OLD_OUTPUT = "renders/teaser[ratio=${matrix.ratio},lang=${matrix.lang}].mp4"


@contextmanager
def lost_answers(rig: MakeRig, folder: Path) -> Iterator[Rig]:
    """An account whose first three answers are lost after the vendor accepted the requests."""
    faults = folder / "faults.json"
    faults.write_text(json.dumps(LOST), encoding="utf-8")
    with emulator("--latency", "0.05", "--no-render", "--faults", str(faults), cwd=folder) as vendor:
        prices = {"prices": [{"model": "*", "per_clip": 0.5}]}
        film = project("jimmyai", folder / "film", vendor, SHOTS, provider=prices, budget={"currency": "USD"})
        yield rig("jimmyai", film, vendor)


@pytest.mark.parametrize("decision", ["--resubmit", "--abandon"])
def test_all_blocked_clips_are_settled_with_one_question(decision: str, rig: MakeRig, tmp_path: Path) -> None:
    with lost_answers(rig, tmp_path) as account:
        assert account.run("apply", "--yes").code == 3
        assert set(account.states().values()) == {"blocked"}

        asked = account.run("resolve", "is:blocked", decision)
        assert asked.code == 4 and "confirmation" in asked.text
        settled = account.run("resolve", "is:blocked", decision, "--yes")

        assert settled.code == 0, settled.text
        assert sorted(settled.document["clips"]) == ["one", "three", "two"]
        assert len(account.ledger()) == 3  # nothing is sent by it
        account.run("apply", "--yes")
        assert len(account.ledger()) == (6 if decision == "--resubmit" else 3)
        again = account.run("resolve", "*", decision, "--yes")
        assert again.code == 64 and "none of these 3 clips" in again.text


def test_the_question_lists_each_request_and_prices_all(
    rig: MakeRig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with lost_answers(rig, tmp_path) as account:
        account.run("apply", "--yes")
        assert main(["-C", str(account.folder), "resolve", "is:blocked", "--resubmit"]) == 4
        *requests, total, again = "".join(capsys.readouterr()).partition("error:")[0].splitlines()
        assert [line.split(":")[0] for line in requests] == ["- one", "- two", "- three"]
        assert [line for line in requests if "0.50 USD" not in line] == []
        assert again == "The next apply sends them again (estimate: 1.50 USD)."
        assert total == "These 3 count as paid in full (1.50 USD)."


def test_outputs_with_brackets_move_for_free_to_names_without(rig: MakeRig, tmp_path: Path, vendor: Emulator) -> None:
    clips = {"teaser": {"prompt": "a lamp in ${matrix.lang}", "ratio": "${matrix.ratio}", "matrix": MATRIX}}
    old = {"teaser": {**clips["teaser"], "output": OLD_OUTPUT}}
    account = rig("ark", project("ark", tmp_path / "film", vendor, old), vendor)
    assert account.run("apply", "--yes").code == 0
    renders = account.folder / "renders"
    before = {path.name: path.read_bytes() for path in renders.iterdir()}
    bought = account.ledger()
    assert len(bought) == 4 and "teaser[ratio=16x9,lang=en].mp4" in before

    account.edit(f', "output": {json.dumps(OLD_OUTPUT)}', "")
    planned = account.run("plan").document
    assert [action["action"] for action in planned["actions"]] == ["move"] * 4
    assert account.run("apply", "--yes").code == 0

    after = {path.name: path.read_bytes() for path in renders.iterdir()}
    assert sorted(after) == [f"teaser-{ratio}-{lang}.mp4" for ratio in ("16x9", "9x16") for lang in ("en", "zh")]
    assert sorted(after.values()) == sorted(before.values()) and account.ledger() == bought
    assert after["teaser-9x16-zh.mp4"] == before["teaser[ratio=9x16,lang=zh].mp4"]
    assert {action["action"] for action in account.run("plan").document["actions"]} == {"noop"}


def test_values_that_would_share_a_name_keep_their_brackets(rig: MakeRig, tmp_path: Path, vendor: Emulator) -> None:
    clips = {"a": {"prompt": "x", "matrix": {"x": ["b-c", "b"], "y": ["d", "c-d"]}}}
    account = rig("ark", project("ark", tmp_path / "film", vendor, clips), vendor)
    outputs = {action["output"] for action in account.run("plan").document["actions"]}
    assert "renders/a[x=b-c,y=d].mp4" in outputs and len(outputs) == 4


def test_changed_since_a_revision_selects_what_has_another_key(rig: MakeRig, tmp_path: Path, vendor: Emulator) -> None:
    account = rig("ark", project("ark", tmp_path / "film", vendor, SHOTS), vendor)
    git = ["git", "-C", str(account.folder), "-c", "user.name=a", "-c", "user.email=a@invalid"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    account.edit('"prompt": "two"', '"prompt": "a lamp"')
    account.edit('"three": {', '"four": {"prompt": "new"}, "three": {"tags": ["not in the key"], ')

    planned = account.run("plan", "changed:HEAD").document
    assert sorted(action["clip"] for action in planned["actions"]) == ["four", "two"]
    assert account.run("plan", "changed:nothing").code == 1
