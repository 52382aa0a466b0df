"""Two working copies share one bucket and no database: each key is bought once, and a claim is never taken silently."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.kit import Rig, project
from tests.e2e.shared import MakeRig, clone, outputs
from tests.emulator.process import Emulator

CLIPS = {"lamp": {"prompt": "a lamp"}, "sun": {"prompt": "the sun"}}


@pytest.fixture
def studio(rig: MakeRig, vendor: Emulator, tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A project with a shared folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    return rig("ark", project("ark", tmp_path / "ana", vendor, CLIPS, cache={"remote": f"file://{shelf}"}), vendor)


def claims(shelf: Path) -> list[Path]:
    return sorted(shelf.rglob("claims/*.json"))


def test_two_applies_at_once_buy_each_key_once(studio: Rig) -> None:
    other = clone(studio, "ben")
    command = [sys.executable, "-m", "reconciler", "--json", "apply", "--yes", "--trust", "-C"]
    running = [subprocess.Popen([*command, str(each.folder)], stdout=subprocess.PIPE) for each in (studio, other)]
    texts = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], texts
    assert len(studio.ledger()) == len(CLIPS)
    assert outputs(other) == outputs(studio) and len(outputs(other)) == len(CLIPS)
    for each in (studio, other):
        assert {a["action"] for a in each.run("plan").document["actions"]} == {"noop"}


def test_what_a_colleague_bought_in_another_branch_is_not_bought_again(studio: Rig) -> None:
    other = clone(studio, "ben")  # before there is a lock file
    assert studio.run("apply", "--yes", "--trust").code == 0
    bought = studio.ledger()
    applied = other.run("apply", "--yes", "--trust")
    assert applied.code == 0, applied.text
    assert {o["clip"]: o["action"] for o in applied.document["outcomes"]} == {"lamp": "restore", "sun": "restore"}
    assert outputs(other) == outputs(studio)
    assert studio.ledger() == bought and len(bought) == 2
    lines = [json.loads((each.folder / "clipform.lock").read_text()) for each in (studio, other)]
    assert [line["lamp#1"]["sha256"] for line in lines] == [lines[0]["lamp#1"]["sha256"]] * 2
    assert lines[1]["lamp#1"]["rehearsal"] is True  # it was made at the emulator
    shutil.rmtree(other.folder / "state")
    assert other.run("plan").document["summary"]["noop"] == 2


def test_a_claim_of_a_dead_process_is_named_and_never_taken_without_consent(studio: Rig, shelf: Path) -> None:
    studio.edit(f'"sun": {json.dumps(CLIPS["sun"])}', '"moon": {"prompt": "the moon"}')
    other = clone(studio, "ben")
    assert studio.run("apply", "lamp", "--yes", "--trust").code == 0
    [claim] = claims(shelf)
    values = json.loads(claim.read_text())
    assert values["project"] == "ana" and values["rehearsal"] is True
    for result in shelf.rglob("results/*.json"):
        result.unlink()  # as if the process had died after it claimed
    left = other.run("apply", "lamp", "--yes", "--trust", "--timeout", "1s")
    assert (left.code, left.results) == (3, {"lamp": "skipped"})
    assert values["machine"] in left.text and values["time"] in left.text and values["marker"][:8] in left.text
    assert len(studio.ledger()) == 1 and claims(shelf) == [claim]
    assert other.run("resolve", "lamp", "--resubmit").code == 4  # nobody confirmed
    assert claims(shelf) == [claim]
    assert other.run("resolve", "lamp", "--resubmit", "--yes").code == 0
    assert other.run("apply", "lamp", "--yes").code == 0
    assert len(studio.ledger()) == 2
    assert json.loads(claim.read_text())["project"] == "ben"


def test_the_owner_of_a_claim_comes_back_and_goes_on(studio: Rig, shelf: Path) -> None:
    assert studio.run("apply", "lamp", "--yes", "--trust").code == 0
    [claim] = claims(shelf)
    kept = json.loads(claim.read_text())
    folder = studio.folder
    for path in (*shelf.rglob("results/*.json"), folder / "clipform.lock", folder / "renders" / "lamp.mp4"):
        path.unlink()
    copy = clone(studio, "copy")
    shutil.copytree(folder / "state", copy.folder / "state")
    for each in (studio, copy):
        each.edit('"a lamp"', '"a torch"')
    claim.with_name(f"{torch_key(studio).replace(':', '-')}.json").write_text(
        json.dumps({**kept, "key": torch_key(studio)})  # as if it had died between its claim and its intent
    )
    foreign = copy.run("apply", "lamp", "--yes", "--trust", "--timeout", "1s")
    assert foreign.results == {"lamp": "skipped"}, foreign.text
    assert studio.run("apply", "lamp", "--yes").results == {"lamp": "succeeded"}
    assert len(studio.ledger()) == 2


def torch_key(of: Rig) -> str:
    [action] = of.run("plan", "lamp").document["actions"]
    return str(action["key"])


def test_what_was_surely_not_bought_gives_its_claim_back(studio: Rig, shelf: Path) -> None:
    before = (studio.folder / "clipform.yaml").read_text()
    studio.edit(studio.vendor.api, "http://127.0.0.1:9")
    refused = studio.run("apply", "lamp", "--yes", "--trust")
    assert refused.code == 3 and claims(shelf) == []
    (studio.folder / "clipform.yaml").write_text(before)
    assert studio.run("apply", "lamp", "--yes", "--trust").code == 0
    assert len(claims(shelf)) == 1


@pytest.mark.parametrize("trouble", ["gone", "never set up", "damaged claim"])
def test_nothing_is_bought_while_nobody_can_say_who_buys_it(trouble: str, studio: Rig, shelf: Path) -> None:
    assert studio.run("apply", "lamp", "--yes", "--trust").code == 0
    (studio.folder / "renders" / "lamp.mp4").unlink()
    if trouble == "gone":
        shelf.rename(shelf.with_name("unmounted"))
    elif trouble == "never set up":
        (shelf / "clipform-cache.txt").unlink()
    else:
        key = studio.run("plan", "sun").document["actions"][0]["key"]
        claims(shelf)[0].with_name(f"{key.replace(':', '-')}.json").write_text("{}")
    applied = studio.run("apply", "--yes")
    assert (applied.code, applied.results) == (3, {"lamp": "succeeded", "sun": "skipped"}), applied.text
    assert len(studio.ledger()) == 1
    assert (studio.folder / "renders" / "lamp.mp4").exists()
