"""An account that runs empty under a code that no page lists: one clip is left in doubt, and the others wait."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.kit import Rig, project
from tests.emulator.process import Emulator, emulator

UNLISTED = {
    "jimmyai": {"code": "30001"},
    "uniall": {"code": "payment_needed", "status": 418},
    "3hei": {"code": "no_money", "status": 403},
    "jiekou": {"code": "PAY_FIRST", "status": 402},
    "ark": {"code": "NoMoney", "status": 402},
    "chanjing": {"code": "59999"},
}
"""What each vendor answers: its envelope, with a code of which nothing is known."""

NAMES = ("a", "b", "c", "d")
CLIPS = {name: {"prompt": f"lamp {name}", "first_frame": "https://media.example/a.png"} for name in NAMES}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Vendors that take nothing, and say why in words that nobody knows."""
    folder = tmp_path_factory.mktemp("empty")
    rules = [
        {"when": {"phase": "submit", "dialect": kind}, "do": "refuse", "message": "pay", **answer}
        for kind, answer in UNLISTED.items()
    ]
    path = folder / "faults.json"
    path.write_text(json.dumps({"faults": rules}), encoding="utf-8")
    with emulator("--latency", "0.05", "--no-render", "--faults", str(path), cwd=folder) as running:
        yield running


@pytest.mark.parametrize("kind", UNLISTED)
def test_an_unlisted_refusal_leaves_one_clip_in_doubt(
    kind: str, empty: Emulator, rig: Callable[[str, Path, Emulator], Rig], tmp_path: Path
) -> None:
    defaults = {"resolution": "720p"} if kind == "jiekou" else {}
    account = rig(kind, project(kind, tmp_path / "project", empty, CLIPS, defaults=defaults), empty)
    applied = account.run("apply", "--yes")
    assert applied.code == 3, applied.text
    assert sorted(applied.results.values()) == ["blocked", "skipped", "skipped", "skipped"]
    waits = [item["message"] for item in applied.document["outcomes"] if item["result"] == "skipped"]
    assert all("nothing more is submitted to it in this run" in text for text in waits)
    assert sorted(account.states().values()) == ["blocked", "new", "new", "new"]
    assert account.ledger() == []
