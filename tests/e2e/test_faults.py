"""Faults of the vendor, rehearsed end to end: what becomes of the clip, of the others, and of the money.

Each file in `faults/` is one situation: the emulator's rules, and what must come of them. Two clips are asked for:
`hit`, which the rules are about, and `other`, which must be made whatever happens to the first. Then everything is
applied again, and nothing may be bought that was bought before. One emulator has the rules of all files, each for the
one model that its file names.

    line: uniall/seedance2.0-480p   the kind, and a model that no other file has
    faults: …                       the emulator's own format; kind and model are added
    timeout: 1s                     of the provider, where it matters
    exit: 3                         of both applies
    state: uncertain                of `hit` after each, as `show` gives the reason
    bought: 2                       tasks in the ledger after the first apply, and for ever
    says: …                         a text that the first apply must say
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.kit import Rig, ask, project, traces
from tests.emulator.process import Emulator, emulator

CASES = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(Path(__file__).parent.glob("faults/*.yaml"))}

OTHER = {
    "jimmyai": "sd2_mx_fast_1080p",
    "uniall": "seedance2.0-mini-480p",
    "3hei": "doubao-seedance-2-0",
    "ark": "doubao-seedance-1-0-lite-t2v-250428",
    "fal": "fal-ai/kling-video/v3/4k/text-to-video",
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator with the rules of all files."""
    folder = tmp_path_factory.mktemp("faulty")
    rules = folder / "faults.yaml"
    rules.write_text(yaml.safe_dump({"faults": list(_rules())}), encoding="utf-8")
    with emulator("--latency", "0.05", "--no-render", "--faults", str(rules), cwd=folder) as running:
        yield running


def _rules() -> Iterator[dict[str, Any]]:
    for told in CASES.values():
        kind, _, model = told["line"].partition("/")
        for rule in told["faults"]:
            yield {**rule, "when": {**rule["when"], "dialect": kind, "model": model}}


@pytest.mark.parametrize("name", CASES)
def test_a_fault_costs_nothing_twice_and_stops_nobody_else(
    name: str, faulty: Emulator, rig: Callable[[str, Path, Emulator], Rig], secret: str, tmp_path: Path
) -> None:
    told = CASES[name]
    kind, _, model = told["line"].partition("/")
    clips = {"hit": {"prompt": "a lamp", "model": model}, "other": {"prompt": "a lamp", "model": OTHER[kind]}}
    patience = {"timeout": told["timeout"]} if "timeout" in told else {}
    rehearsal = rig(kind, project(kind, tmp_path / "project", faulty, clips, provider=patience), faulty)

    first = rehearsal.run("apply", "--yes")
    assert first.code == told["exit"], first.text
    assert first.results["other"] == "succeeded"
    assert told.get("says", "") in " ".join(line.get("message", "") for line in first.lines)
    notes = [line["message"] for line in first.lines if line["event"] == "note"]
    assert len(notes) == len(set(notes)), "what stays the same is told once"
    assert _state(rehearsal) == told["state"]
    bought = rehearsal.ledger()
    assert len(bought) == told["bought"]
    assert (rehearsal.folder / "renders" / "hit.mp4").exists() is (told["state"] == "up_to_date")

    again = rehearsal.run("apply", "--yes")
    assert again.code == told["exit"], again.text
    assert _state(rehearsal) == told["state"]
    assert rehearsal.ledger() == bought
    assert traces(secret, rehearsal.folder, rehearsal.said) == []
    assert ask(faulty, "/ledger/leaks")["leaks"] == []


def test_the_files_are_about_different_models() -> None:
    """Else the rules of one would hit the clips of another."""
    lines = [told["line"] for told in CASES.values()]
    others = [f"{kind}/{model}" for kind, model in OTHER.items()]
    assert len({*lines, *others}) == len(lines) + len(others)


def test_a_wrong_clip_is_kept_and_flagged(
    faulty: Emulator, rig: Callable[[str, Path, Emulator], Rig], tmp_path: Path
) -> None:
    told = CASES["task-wrong-clip"]
    kind, _, model = told["line"].partition("/")
    folder = project(kind, tmp_path / "project", faulty, {"hit": {"prompt": "a lamp", "model": model}})
    rehearsal = rig(kind, folder, faulty)
    assert rehearsal.run("apply", "--yes").code == 0
    artifact = rehearsal.run("show", "hit").document["takes"][0]["artifact"]
    assert artifact["mismatch"].startswith("asked for 5 s, got 8.00 s")
    assert artifact["video"].startswith("8 s")


def _state(rehearsal: Rig) -> str:
    reason: str = rehearsal.run("show", "hit").document["takes"][0]["reason"]
    return reason
