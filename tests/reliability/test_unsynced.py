"""The file system of the power cuts forgets what was not synced, and nothing else."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.reliability.processes import power_cuts

if reason := power_cuts.unable():
    pytest.skip(reason, allow_module_level=True)


def _synced(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _work(folder: Path) -> None:
    """Files and names, synced or not."""
    with (folder / "part").open("wb") as file:
        file.write(b"whole" * 100_000)
        file.flush()
        os.fsync(file.fileno())
        file.write(b" and more")
    (folder / "below").mkdir()
    (folder / "part").rename(folder / "below/film")
    (folder / "old").write_bytes(b"new")
    _synced(folder / "below")
    _synced(folder)
    (folder / "late").write_bytes(b"content without a name")
    with closing(sqlite3.connect(folder / "below/database")) as database, database:
        database.execute("PRAGMA synchronous = EXTRA")
        database.execute("CREATE TABLE clip (name)")


@pytest.mark.parametrize(("mode", "late"), [("strict", None), ("names", b"")])
def test_a_cut_leaves_what_was_synced(mode: str, late: bytes | None, tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")
    with power_cuts.forgetful(tmp_path) as cut:
        _work(tmp_path)
        assert (tmp_path / "below/film").read_bytes().endswith(b" and more")
        cut(mode)
    files = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert files["below/film"] == b"whole" * 100_000
    assert files["old"] == b"old"
    assert files.get("late") == late
    assert files["below/database"].startswith(b"SQLite format 3"), "SQLite syncs by itself"
