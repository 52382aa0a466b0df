"""`gc --remote` spares what a lock file of the team names, here or in a branch, and what is young."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.kit import Rig, project
from tests.e2e.shared import MakeRig, clone
from tests.emulator.process import Emulator

CLIPS = {"lamp": {"prompt": "a lamp"}, "sun": {"prompt": "the sun"}}
GC = ("gc", "--remote", "--older-than")


def git(of: Rig, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", "-C", str(of.folder), *identity, *arguments], check=True, capture_output=True)


def names(shelf: Path) -> set[str]:
    return {str(path.relative_to(shelf)) for path in shelf.rglob("*") if path.is_file()}


def test_only_what_is_old_and_nobody_names_is_deleted_with_all_that_leads_to_it(
    rig: MakeRig, vendor: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "clipform-cache.txt").touch()
    ana = rig("ark", project("ark", tmp_path / "ana", vendor, CLIPS, cache={"remote": f"file://{shelf}"}), vendor)
    assert ana.run("apply", "--yes", "--trust").code == 0
    git(ana, "init", "--quiet", "--initial-branch=main")
    git(ana, "add", "clipform.yaml", "clipform.lock")
    git(ana, "commit", "--quiet", "--message=both")
    git(ana, "update-ref", "refs/remotes/origin/feature/both", "HEAD")
    hers = names(shelf)
    ben = clone(ana, "ben")
    shutil.copytree(ana.folder / ".git", ben.folder / ".git")
    ben.edit('"a lamp"', '"a torch"')
    assert ben.run("apply", "--yes", "--trust").code == 0
    everything = names(shelf)
    assert len(everything - hers) == 3  # an object, its result and its claim

    assert ben.run(*GC, "0d", "--yes").document["deleted"] == 0  # the lamp is named by the branch only
    assert ana.run(*GC, "1d", "--yes").document["deleted"] == 0
    assert ana.run(*GC, "0d").code == 4  # nobody confirmed
    assert ana.run(*GC, "0d", "--yes", "--refs", "upstream/*").code == 64  # nothing would be spared
    assert ana.run("gc", "--remote", "--yes").code == 64
    assert names(shelf) == everything
    assert ana.run(*GC, "0d", "--yes").document["deleted"] == 1
    assert names(shelf) == hers
