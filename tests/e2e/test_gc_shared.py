"""`gc --remote` spares what a lock file of the team names, here or at a reference, what is open, and what is young."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.state.sql.postgres import PostgreSQL
from reconciler.state.wants import DONE, Want, Wants
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
    git(ana, "tag", "v1")
    hers = names(shelf)
    ben = clone(ana, "ben")
    shutil.copytree(ana.folder / ".git", ben.folder / ".git")
    ben.edit('"a lamp"', '"a torch"')
    assert ben.run("apply", "--yes", "--trust").code == 0
    everything = names(shelf)
    assert len(everything - hers) == 3  # an object, its result and its claim

    for refs in ("origin/*", "v*"):  # the lamp is an earlier version here, and named there only
        assert ben.run(*GC, "0d", "--yes", "--refs", refs).document["deleted"] == 0
    assert ana.run(*GC, "1d", "--yes").document["deleted"] == 0
    assert ana.run(*GC, "0d").code == 4  # nobody confirmed
    assert ana.run(*GC, "0d", "--yes", "--refs", "upstream/*").code == 64  # nothing would be spared
    assert ana.run("gc", "--remote", "--yes").code == 64
    assert names(shelf) == everything
    assert ana.run(*GC, "0d", "--yes").document["deleted"] == 1
    assert names(shelf) == hers


DAY = 86_400.0
SHAS = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(8)]


def put(shelf: Path, name: str, days: float, content: bytes = b"x") -> None:
    (shelf / name).parent.mkdir(exist_ok=True)
    (shelf / name).write_bytes(content)
    os.utime(shelf / name, (time.time() - days * DAY,) * 2)


@pytest.fixture
def studio(rig: MakeRig, vendor: Emulator, tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A project without a video, whose branch is fetched."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    of = rig("ark", project("ark", tmp_path / "ana", vendor, CLIPS, cache={"remote": f"file://{shelf}"}), vendor)
    git(of, "init", "--quiet", "--initial-branch=main")
    git(of, "commit", "--quiet", "--allow-empty", "--message=none")
    git(of, "update-ref", "refs/remotes/origin/main", "HEAD")
    return of


def test_old_drafts_go_and_those_that_a_young_name_leads_to_stay(studio: Rig, shelf: Path) -> None:
    old, again, young = SHAS[:3]
    for sha256, days in ((old, 40), (again, 40), (young, 1)):
        put(shelf, f"drafts/{sha256}", days)
    put(shelf, "drafts/scene.txt", 40, old.encode())
    put(shelf, "drafts/another.txt", 1, again.encode())  # rendered again: its bytes were there
    assert studio.run("pull", "--trust").code == 0
    refused = studio.run(*GC, "30d")
    assert refused.code == 4 and len(names(shelf)) == 6  # nobody confirmed
    assert studio.run(*GC, "30d", "--yes").document["deleted"] == 1
    assert names(shelf) == {"clipform-cache.txt", f"drafts/{again}", f"drafts/{young}", "drafts/another.txt"}


def test_no_age_deletes_a_claim_a_receipt_or_what_says_how_new_a_database_is(studio: Rig, shelf: Path) -> None:
    for name in (
        "claims/v1-aa.json",
        "rehearsals/claims/v1-aa.json",
        "receipts/0a",
        "receipts/0a.accepted",
        "meta/high",
    ):
        (shelf / name).parent.mkdir(parents=True, exist_ok=True)
        put(shelf, name, 9_000)
    put(shelf, f"inputs/{SHAS[0]}", 9_000)  # without a database nobody knows which orders are open
    before = names(shelf)
    assert studio.run("pull", "--trust").code == 0
    assert studio.run(*GC, "0d", "--yes").document["deleted"] == 0
    assert names(shelf) == before


def test_inputs_stay_while_an_open_order_of_any_project_names_them_or_one_may(
    studio: Rig, shelf: Path, database: str, shared_sql: Callable[..., PostgreSQL]
) -> None:
    sql = shared_sql()
    studio.edit('"version": 1', f'"version": 1, "state": {{"url": "{database}", "schema": "{sql.schema}"}}')
    clip, scene, closed, young, nobody = SHAS[:5]
    for sha256 in (clip, scene, closed, nobody):
        put(shelf, f"inputs/{sha256}", 40)
    put(shelf, f"inputs/{young}", 1.5)
    documents = {"v1:aa": {"image": clip}, "draft:bb": {"value": f"inputs/{scene}.png"}, "v1:cc": {"image": closed}}
    wants = Wants(sql)
    wants.hand_over(
        [Want(key, 1, "studio", "lamp", 1, (), json.dumps(document)) for key, document in documents.items()], 1, "null"
    )
    wants.end("v1:cc", DONE)
    assert studio.run("pull", "--trust").code == 0
    assert studio.run(*GC, "0d", "--yes").document["deleted"] == 2
    assert names(shelf) == {"clipform-cache.txt", f"inputs/{clip}", f"inputs/{scene}", f"inputs/{young}"}
