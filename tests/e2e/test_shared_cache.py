"""A team shares what it bought by a folder: a clone rebuilds every output, and nothing is bought twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.kit import Rig, project
from tests.e2e.shared import MakeRig, clone, outputs
from tests.emulator.process import Emulator

CLIPS = {"lamp": {"prompt": "a lamp"}, "sun": {"prompt": "the sun", "takes": 2}}


@pytest.fixture
def studio(rig: MakeRig, vendor: Emulator, tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A project with a shared folder, trusted here."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    return rig("ark", project("ark", tmp_path / "ana", vendor, CLIPS, cache={"remote": f"file://{shelf}"}), vendor)


def test_a_clone_rebuilds_every_output_from_the_shared_folder(studio: Rig) -> None:
    applied = studio.run("apply", "--yes", "--trust")
    assert applied.code == 0, applied.text
    bought = studio.ledger()
    other = clone(studio, "ben")
    actions = other.run("plan").document["actions"]
    assert {(a["clip"], a["take"]): (a["action"], a["reason"]) for a in actions} == {
        ("lamp", 1): ("restore", "cached"),
        ("sun", 1): ("restore", "cached"),
        ("sun", 2): ("noop", "locked_take"),
    }
    pulled = other.run("pull", "--trust")
    assert pulled.code == 0, pulled.text
    assert outputs(other) == outputs(studio) and len(outputs(other)) == 2
    assert (other.folder / "clipform.lock").read_bytes() == (studio.folder / "clipform.lock").read_bytes()
    assert other.run("apply", "--locked", "--yes").code == 0
    assert studio.ledger() == bought and len(bought) == 3


def sha256s(of: Rig) -> dict[str, str]:
    """The SHA-256 of each line of the lock file."""
    lines = json.loads((of.folder / "clipform.lock").read_text())
    return {name: line["sha256"] for name, line in lines.items() if name != "version"}


@pytest.mark.parametrize("damage", ["other", "short", "long", "empty"])
def test_an_object_that_is_not_what_the_lock_file_names_is_not_placed(damage: str, studio: Rig, shelf: Path) -> None:
    studio.edit('"takes": 2', '"takes": 1')
    assert studio.run("apply", "--yes", "--trust").code == 0
    bought, shas = studio.ledger(), sha256s(studio)
    lamp, sun = (shelf / "objects" / shas[f"{clip}#1"] for clip in ("lamp", "sun"))
    sound = lamp.read_bytes()
    lamp.write_bytes({"other": sun.read_bytes(), "short": sound[:-1], "long": sound + b"x", "empty": b""}[damage])
    other = clone(studio, "ben")
    pulled = other.run("pull", "--trust")
    assert (pulled.code, pulled.results) == (3, {"lamp": "blocked", "sun": "succeeded"})
    assert lamp.name in pulled.text and "lamp.mp4" not in outputs(other)
    assert other.run("apply", "--yes").results["lamp"] == "blocked"
    lamp.unlink()
    assert studio.run("push", "--again").code == 0
    assert other.run("pull").code == 0
    assert outputs(other) == outputs(studio)
    assert studio.ledger() == bought and len(bought) == 2


def test_what_nobody_shared_is_not_bought_again_and_a_push_with_nothing_to_do_asks_nothing(
    studio: Rig, shelf: Path
) -> None:
    studio.edit('"remote"', '"push": "manual", "remote"')
    assert studio.run("apply", "--yes", "--trust").code == 0
    bought, other = studio.ledger(), clone(studio, "ben")
    assert list(shelf.rglob("*.json")) == []
    pulled = other.run("pull", "--trust")
    assert (pulled.code, pulled.results) == (3, {"lamp": "blocked", "sun": "blocked"})
    assert "fetch lamp" in pulled.text
    fetched = other.run("fetch", "lamp")  # not in the cache, so from its task
    assert fetched.code == 0 and set(outputs(other)) == {"lamp.mp4"}, fetched.text
    assert studio.run("push", "lamp").document["pushed"] == 1
    assert studio.run("push").document["pushed"] == 2
    assert other.run("apply", "--yes").code == 0
    assert outputs(other) == outputs(studio)
    shelf.rename(shelf.with_name("unmounted"))
    for copy in (studio, other):
        assert copy.run("apply", "--yes").code == 0
        assert copy.run("pull").document["outcomes"] == []
    assert studio.run("push").document["pushed"] == 0
    gone = studio.run("push", "--again")
    assert gone.code == 3 and "shared cache" in gone.text
    assert not shelf.exists()
    assert studio.ledger() == bought and len(bought) == 3


def test_what_was_not_shared_before_the_end_is_shared_by_the_next_apply(studio: Rig, shelf: Path) -> None:
    assert studio.run("apply", "--yes", "--trust").code == 0

    def shared() -> set[str]:
        return {str(path.relative_to(shelf)) for path in shelf.rglob("*") if path.is_file()}

    everything, bought = shared(), studio.ledger()
    assert len(everything) == 1 + 3 * 3  # the mark; for each take an object, a result and a claim
    for ends in ("before the bytes", "between bytes and reference"):
        (studio.folder / "state" / "shared").unlink()
        for path in (*shelf.rglob("results/*"), *(shelf.glob("objects/*") if ends == "before the bytes" else ())):
            path.unlink()
        assert studio.run("apply", "--yes").code == 0
        assert shared() == everything
    assert studio.ledger() == bought and len(bought) == 3


def test_a_push_shares_earlier_versions_too_for_a_clone_at_an_earlier_commit(studio: Rig, shelf: Path) -> None:
    studio.edit('"remote"', '"push": "manual", "remote"')
    assert studio.run("apply", "--yes", "--trust").code == 0
    earlier, videos = clone(studio, "earlier"), outputs(studio)
    studio.edit("a lamp", "a torch")
    assert studio.run("apply", "--yes").code == 0
    bought = studio.ledger()
    assert studio.run("push").document["pushed"] == 4
    pulled = earlier.run("pull", "--trust")
    assert pulled.code == 0, pulled.text
    assert outputs(earlier) == videos != outputs(studio)
    assert earlier.run("apply", "--locked", "--yes").code == 0
    assert studio.run("push").document["pushed"] == 0
    assert studio.ledger() == bought and len(bought) == 4


def test_a_push_of_an_earlier_commit_shares_what_its_lock_file_names(studio: Rig, shelf: Path) -> None:
    studio.edit('"remote"', '"push": "manual", "remote"')
    assert studio.run("apply", "--yes", "--trust").code == 0
    earlier, files = clone(studio, "earlier"), ("clipform.yaml", "clipform.lock")
    studio.edit("a lamp", "a torch")
    assert studio.run("apply", "--yes").code == 0
    for file in files:  # git checkout of the earlier commit: the state has a newer version
        (studio.folder / file).write_bytes((earlier.folder / file).read_bytes())
    assert studio.run("push", "lamp").document["pushed"] == 2
    assert earlier.run("pull", "lamp", "--trust").code == 0
    assert set(outputs(earlier)) == {"lamp.mp4"}


def test_a_stored_video_that_is_damaged_is_not_shared(studio: Rig, shelf: Path) -> None:
    studio.edit('"remote"', '"push": "manual", "remote"')
    assert studio.run("apply", "--yes", "--trust").code == 0
    lamp = sha256s(studio)["lamp#1"]
    path = studio.folder / "state" / "objects" / lamp[:2] / f"{lamp}.mp4"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[::-1])
    pushed = studio.run("push")
    assert pushed.code == 3 and "the stored video of lamp is damaged and is not shared" in pushed.text
    assert {file.name for file in (shelf / "objects").iterdir()} == {*sha256s(studio).values()} - {lamp}
