"""Each rule of the checker sees one violation that is forged behind the program's back, and nothing without it."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.reliability.simulator import checker
from tests.reliability.simulator.sim import Sim
from tests.reliability.sweeps import fresh

SECRET = "canary/Zq+forged=%7E"


@pytest.fixture
def sim() -> Iterator[Sim]:
    """A project with one clip made."""
    with fresh() as found:
        found.apply()
        yield found


def _promises(sim: Sim) -> set[str]:
    return {text.partition(":")[0] for text in sim.judged(checker.World(sim.root))}


def _forge(sim: Sim, statement: str) -> None:
    with closing(sqlite3.connect(sim.root / "state/clipform.db")) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("PRAGMA ignore_check_constraints = ON")
        assert database.execute(statement).rowcount == 1


def test_nothing_is_found_where_nothing_was_forged(sim: Sim) -> None:
    assert not _promises(sim)


@pytest.mark.parametrize(
    ("statement", "promises"),
    [
        ("UPDATE ledger SET settled = settled - 1", {"I6"}),
        ("UPDATE ledger SET reserved = reserved + 1", {"I6"}),
        ("DELETE FROM attempt", {"I6", "I20"}),
        ("UPDATE attempt SET cost_micros = cost_micros + 1", {"I6", "I20"}),
        ("UPDATE attempt SET money = 'released'", {"I6", "I20"}),
        ("UPDATE attempt SET task = 'task-9'", {"I20"}),
        ("UPDATE attempt SET marker = 'another'", {"I20"}),
        ("UPDATE generation SET mismatch = 'too short'", {"I19"}),
    ],
)
def test_a_row_that_is_changed_behind_the_log_is_seen(sim: Sim, statement: str, promises: set[str]) -> None:
    _forge(sim, statement)
    assert promises <= _promises(sim)


def test_a_cost_that_is_no_whole_number_is_seen(sim: Sim) -> None:
    world = checker.World(sim.root)
    world.tables["attempt"][0]["cost_micros"] = 0.5
    assert any(text.startswith("I6: attempt") for text in sim.judged(world))


def test_a_wrong_video_whose_flag_is_taken_off_is_seen() -> None:
    with fresh() as sim:
        sim.server.plan("hero", fetch=["wrong"])
        sim.apply()
        assert not _promises(sim)
        _forge(sim, "UPDATE generation SET mismatch = ''")
        assert "I19" in _promises(sim)


@pytest.mark.parametrize(
    "spelt",
    [
        str,
        lambda text: quote(text, safe=""),
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: text.encode().hex(),
    ],
    ids=["as it is", "in a URL", "in base64", "in hex"],
)
def test_a_secret_in_a_file_or_in_what_was_told_is_seen(tmp_path: Path, spelt: Callable[[str], str]) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/log").write_text("nothing", encoding="utf-8")
    assert not list(checker.leaks(SECRET, tmp_path, "nothing"))
    (tmp_path / "deep/log").write_text(f'{{"header": "{spelt(SECRET)}"}}', encoding="utf-8")
    assert list(checker.leaks(SECRET, tmp_path, f"refused: {spelt(SECRET)}")) == [
        "I7: the secret stands in deep/log",
        "I7: the secret was told",
    ]


@pytest.mark.parametrize("what", ["changed", "new", "gone"])
def test_a_file_outside_that_is_touched_is_seen(tmp_path: Path, what: str) -> None:
    (tmp_path / "theirs").write_text("a", encoding="utf-8")
    before = checker.picture(tmp_path)
    assert not list(checker.outside(before, checker.picture(tmp_path)))
    match what:
        case "changed":
            (tmp_path / "theirs").write_text("other", encoding="utf-8")
        case "new":
            (tmp_path / "ours").touch()
        case "gone":
            (tmp_path / "theirs").unlink()
    assert len(list(checker.outside(before, checker.picture(tmp_path)))) == 1


@pytest.mark.parametrize(
    ("after", "refused", "count"), [(b"a", True, 0), (b"b", True, 1), (b"a", False, 1), (b"b", False, 2)]
)
def test_a_newer_state_must_be_refused_and_left_as_it_is(after: bytes, refused: bool, count: int) -> None:
    assert [text[:4] for text in checker.honest(b"a", after, refused=refused)] == ["I18:"] * count


@pytest.mark.parametrize(
    ("acted", "told", "count"), [(False, True, 0), (True, True, 1), (False, False, 1), (True, False, 2)]
)
def test_a_second_process_must_do_nothing_and_be_told_so(acted: bool, told: bool, count: int) -> None:
    assert [text[:4] for text in checker.alone(acted, told)] == ["I11:"] * count


def test_a_finished_task_that_the_program_had_deleted_is_seen(sim: Sim) -> None:
    assert not list(checker.calm(checker.World(sim.root), sim.server))
    next(iter(sim.server.ledger.values())).deleted = True
    assert any(text.startswith("I3:") for text in checker.calm(checker.World(sim.root), sim.server))
