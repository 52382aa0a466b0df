"""The database after a power cut at any write: what was acknowledged is there, and wrong settings are caught."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.state.store import Store
from tests.reliability.figures import Tally
from tests.reliability.simulator import sqlite_power
from tests.reliability.simulator.sqlite_power import PLANTED, PRODUCTION, SOUND
from tests.reliability.simulator.vfs import Op, Platter, cut


@pytest.mark.parametrize("name", SOUND)
def test_after_a_cut_at_any_write_every_acknowledged_commit_is_there(name: str) -> None:
    tally = Tally()
    sqlite_power.cuts(tally, name, range(1), stride=9)
    assert tally.broken == []
    assert tally.scenarios.total() > 70


@pytest.mark.parametrize("name", PLANTED)
def test_a_setting_that_loses_commits_is_caught(name: str) -> None:
    assert sqlite_power.caught(PLANTED[name]) is not None


def test_the_store_runs_with_the_settings_of_production() -> None:
    with sqlite_power.on_platter(Platter(), PRODUCTION), Store.open(Path("/"), lambda: 1.0) as store:
        select = store.sql.connection.execute
        assert [select(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")] == [
            "persist",
            3,
            1,
        ]


def test_what_is_not_synced_is_lost_and_a_new_file_is_not_its_older_namesake() -> None:
    platter = Platter({"a": b"old"})
    platter.note(Op("delete", "a"))
    inode = platter.create("a")
    platter.note(Op("write", "a", inode, 0, b"new!"))
    assert cut(platter.log, None) == {"a": b"old"}
    platter.note(Op("sync", "a", inode))
    assert cut(platter.log, None) == {"a": b"old"}
    platter.note(Op("folder"))
    assert cut(platter.log, None) == {"a": b"new!"}
