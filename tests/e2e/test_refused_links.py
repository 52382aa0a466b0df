"""A paid video that clipform cannot fetch or take: the user fetches it, and a command takes it as the result."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.kit import Rig, project
from tests.emulator.process import Emulator, emulator
from tests.reliability.simulator.videos import tiny

FAULTS = {
    "it is http, not https": {"do": "link", "to": "http://8.8.8.8/video.mp4"},
    '"result": "blocked"': {"do": "no_link"},
}
"""Faults of a result, each by what the run reports."""


@pytest.mark.parametrize("says", FAULTS)
def test_a_paid_video_that_cannot_be_fetched_is_imported_as_a_file(
    says: str, rig: Callable[[str, Path, Emulator], Rig], tmp_path: Path
) -> None:
    path = tmp_path / "faults.json"
    path.write_text(json.dumps({"faults": [{"when": {"phase": "submit"}, **FAULTS[says]}]}), encoding="utf-8")
    with emulator("--latency", "0.05", "--no-render", "--faults", str(path), cwd=tmp_path) as vendor:
        account = rig("ark", project("ark", tmp_path / "project", vendor, {"lamp": {"prompt": "a lamp"}}), vendor)
        applied = account.run("apply", "--yes")
        assert (applied.code, says in applied.text) == (3, True), applied.text
        if "http" in says:
            assert "import lamp --file VIDEO.mp4" in applied.document["outcomes"][0]["help"]
        (tmp_path / "VIDEO.mp4").write_bytes(tiny(5))
        assert account.run("import", "lamp", "--file", str(tmp_path / "VIDEO.mp4")).code == 0
        assert account.run("apply", "--yes").code == 0
        assert (account.folder / "renders" / "lamp.mp4").read_bytes() == tiny(5)
        assert len(account.ledger()) == 1
