"""A paid task is collected again for nothing: its video was lost, or its attempt was closed."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.kit import Rig, project
from tests.emulator.process import Emulator, emulator

CLIPS = {"lamp": {"prompt": "a lamp"}}
MakeRig = Callable[[str, Path, Emulator], Rig]


def _collected(account: Rig, task: str) -> None:
    """`import --task` makes the next apply fetch the video, and nothing is bought for that."""
    bought = account.ledger()
    imported = account.run("import", "lamp", "--task", task)
    assert imported.code == 0, imported.text
    applied = account.run("apply", "--yes")
    assert (applied.code, applied.results) == (0, {"lamp": "succeeded"}), applied.text
    assert (account.folder / "renders" / "lamp.mp4").exists()
    assert account.ledger() == bought and len(bought) == 1
    assert account.run("plan").document["actions"][0]["action"] == "noop"


@pytest.mark.parametrize("kind", ["ark", "jimmyai"])
def test_a_video_that_the_store_lost_is_fetched_again(
    kind: str, vendor: Emulator, rig: MakeRig, tmp_path: Path
) -> None:
    account = rig(kind, project(kind, tmp_path / "project", vendor, CLIPS), vendor)
    assert account.run("apply", "--yes").code == 0
    output = account.folder / "renders" / "lamp.mp4"
    video, bought = output.read_bytes(), account.ledger()
    shutil.rmtree(account.folder / "state" / "objects")
    output.unlink()
    planned = account.run("plan").document["actions"][0]
    assert planned["action"] == "blocked"
    program, *arguments = shlex.split(planned["way_out"][0])
    assert (program, arguments[-2:]) == ("clipform", ["fetch", "lamp"])
    fetched = account.run(*arguments)
    assert fetched.code == 0, fetched.text
    assert output.read_bytes() == video
    assert account.ledger() == bought and len(bought) == 1
    assert account.run("plan").document["actions"][0]["action"] == "noop"


@pytest.mark.parametrize("kind", ["ark", "jimmyai"])
@pytest.mark.parametrize("closing", [[], ["--resubmit"], ["--abandon"]])
def test_a_task_of_a_closed_attempt_is_adopted_again(
    kind: str, closing: list[str], rig: MakeRig, tmp_path: Path
) -> None:
    if closing and kind == "ark":
        return  # its failures are free, so there is nothing to decide about
    faults: Any = {"faults": [{"when": {"phase": "poll", "nth": 1}, "do": "word", "word": "failed"}]}
    path = tmp_path / "faults.json"
    path.write_text(json.dumps(faults), encoding="utf-8")
    with emulator("--latency", "0.05", "--no-render", "--faults", str(path), cwd=tmp_path) as vendor:
        account = rig(kind, project(kind, tmp_path / "project", vendor, CLIPS), vendor)
        assert account.run("apply", "--yes").results == {"lamp": "failed"}
        (task,) = [entry["task"] for entry in account.ledger()]
        if closing:
            assert account.run("resolve", "lamp", *closing, "--yes").code == 0
        _collected(account, task)
