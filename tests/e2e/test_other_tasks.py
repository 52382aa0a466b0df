"""The task of another request is not taken for a clip without a word: its model, length and picture are compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.kit import Rig, project
from tests.emulator.process import Emulator

MakeRig = Callable[[str, Path, Emulator], Rig]
BOUGHT: dict[str, Any] = {"prompt": "a lamp", "duration": 5, "resolution": "480p", "ratio": "16:9"}
OTHERS: dict[str, dict[str, Any]] = {
    "model": {"model": "doubao-seedance-1-0-pro-250528"},
    "duration": {"duration": 6},
    "resolution": {"resolution": "720p"},
    "ratio": {"ratio": "1:1"},
}


def bought(kind: str, rig: MakeRig, folder: Path, vendor: Emulator) -> tuple[Rig, str]:
    """A project with one paid task, and that task."""
    account = rig(kind, project(kind, folder, vendor, {"lamp": BOUGHT}), vendor)
    assert account.run("apply", "--yes").code == 0
    (task,) = [entry["task"] for entry in account.ledger()]
    return account, task


@pytest.mark.parametrize("field", OTHERS)
def test_the_task_of_another_request_needs_consent(field: str, vendor: Emulator, rig: MakeRig, tmp_path: Path) -> None:
    account, task = bought("ark", rig, tmp_path / "bought", vendor)
    other = rig("ark", project("ark", tmp_path / "other", vendor, {"lamp": BOUGHT | OTHERS[field]}), vendor)
    refused = other.run("import", "lamp", "--task", task)
    assert refused.code == 4
    for part in (
        task,
        field,
        str(OTHERS[field][field]),
        str(BOUGHT.get(field, "doubao-seedance-2-0-260128")),
        "--force",
    ):
        assert part in refused.text
    assert other.states() == {"lamp": "new"}
    assert other.run("import", "lamp", "--task", task, "--force").code == 0
    assert other.run("apply", "--yes").results == {"lamp": "succeeded"}
    assert other.ledger() == [] or [entry["task"] for entry in other.ledger()] == [task]


@pytest.mark.parametrize("kind", ["ark", "3hei"])
@pytest.mark.parametrize("ratio", ["16:9", "adaptive"])
def test_a_task_of_the_same_request_needs_none(
    kind: str, ratio: str, vendor: Emulator, rig: MakeRig, tmp_path: Path
) -> None:
    _, task = bought(kind, rig, tmp_path / "bought", vendor)
    same = BOUGHT | {"prompt": "another lamp", "ratio": ratio}
    other = rig(kind, project(kind, tmp_path / "other", vendor, {"lamp": same}), vendor)
    assert other.run("import", "lamp", "--task", task).code == 0
