"""A vendor that ignores frames: its first task shows none, and the batch ends before more is bought."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.kit import Rig, project
from tests.emulator.process import emulator

CLIPS = {name: {"prompt": f"lamp {name}", "first_frame": "https://media.example/a.png"} for name in "abcd"}
TEXT = {name: {"prompt": f"lamp {name}"} for name in "abcd"}
IGNORES = [{"when": {"phase": "submit", "dialect": "chanjing"}, "do": "ignore_frames"}]
STOPS = "shows none of the frames that were sent"


@pytest.mark.parametrize(
    ("clips", "settings", "bought"), [(CLIPS, {}, 1), (CLIPS, {"shows_frames": False}, 4), (TEXT, {}, 4)]
)
def test_a_batch_whose_frames_are_ignored_stops_after_its_first_task(
    clips: Any, settings: Any, bought: int, rig: Callable[..., Rig], tmp_path: Path
) -> None:
    path = tmp_path / "faults.json"
    path.write_text(json.dumps({"faults": IGNORES}), encoding="utf-8")
    with emulator("--latency", "0.05", "--no-render", "--faults", str(path), cwd=tmp_path) as vendor:
        provider = {"settings": settings, "requests_per_second": 5} if settings else {"requests_per_second": 5}
        folder = project("chanjing", tmp_path / "project", vendor, clips, provider=provider)
        account = rig("chanjing", folder, vendor)
        applied = account.run("apply", "--yes")
        assert len(account.ledger()) == bought
        assert applied.code == (3 if bought == 1 else 0), applied.text
        assert (STOPS in applied.text) is (bought == 1)
