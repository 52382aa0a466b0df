"""A damaged, newer, foreign or full database: our error or a working store, never a traceback (F13, F18, F19)."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from state_kit import Clock, Maker, order

from reconciler.diagnostics import StateDamaged, StateError, StateNewer
from reconciler.records import State
from reconciler.state.store import Store
from tests.state.replay import rebuild

STEPS = 79


@pytest.fixture
def sound(tmp_path: Path) -> bytes:
    """A database with something in every table."""
    with Store.open(tmp_path / "sound", Clock()) as store:
        for number in range(12):
            attempt = Maker(store).attempt(State.DONE, key=f"v1:{number}", clip=f"clip-{number}")
            store.note("padding", attempt.clip, {"text": "x" * 500})
    return (tmp_path / "sound" / "clipform.db").read_bytes()


def _use(directory: Path, data: bytes, content: list[object] | None = None) -> str:
    """Read and write a store made of these bytes; returns what came of it. `content`: takes what was read."""
    directory.mkdir(exist_ok=True)
    (directory / "clipform.db").write_bytes(data)
    (directory / "clipform.db-journal").unlink(missing_ok=True)
    codes = []
    for attempt in (_look, _write):
        try:
            read = attempt(directory)
            if content is not None and attempt is _look:
                content.append(read)
            codes.append("works")
        except StateError as error:
            codes.append(error.code)
    return "/".join(codes)


def _look(directory: Path) -> object:
    store = Store.read(directory, Clock())
    if store is None:
        return None
    with store:
        return repr((store.snapshot(), store.events()))


def _write(directory: Path) -> None:
    with Store.open(directory, Clock()) as store:
        rebuild(store)
        Maker(store).attempt(State.DONE, key="v1:new")
        store.snapshot()


def test_flipped_bytes_are_damage_or_harmless(tmp_path: Path, sound: bytes) -> None:
    """SQLite has no checksums, so a flip inside a value can read as another value: rare, and never a lost row."""
    [whole] = _contents(tmp_path, sound)
    outcomes, other = set(), 0
    offsets = [*range(0, 100, 3), *range(100, len(sound), len(sound) // STEPS)]
    for number, offset in enumerate(offsets):
        broken = bytearray(sound)
        broken[offset] ^= 0xFF if number % 3 else 0x01
        content: list[object] = []
        outcomes.add(_use(tmp_path / "broken", bytes(broken), content))
        if content and content != [whole]:
            other += 1
            assert str(content[0]).count("Attempt(") == str(whole).count("Attempt(")
    assert {"state-damaged/state-damaged", "works/works"} <= outcomes
    codes = {code for outcome in outcomes for code in outcome.split("/")}
    assert codes <= {"works", "state-damaged", "state-foreign", "state-newer"}
    assert other <= len(offsets) // 10


def test_zeroed_pages_are_damage_or_harmless(tmp_path: Path, sound: bytes) -> None:
    [whole] = _contents(tmp_path, sound)
    for page in range(0, len(sound), 4096):
        content: list[object] = []
        _use(tmp_path / "broken", sound[:page] + bytes(4096) + sound[page + 4096 :], content)
        assert content in ([], [whole]), page


def _contents(tmp_path: Path, data: bytes) -> list[object]:
    content: list[object] = []
    assert _use(tmp_path / "whole", data, content) == "works/works"
    return content


def test_a_truncated_database_is_damage_or_none_at_all(tmp_path: Path, sound: bytes) -> None:
    for size in [*range(0, 100, 9), *range(100, len(sound) - 1, len(sound) // STEPS)]:
        outcome = _use(tmp_path / "broken", sound[:size])
        assert outcome == "works/works" if size == 0 else "state-damaged" in outcome, size


def test_a_file_that_is_no_database_is_damage(tmp_path: Path) -> None:
    assert _use(tmp_path / "broken", b"clips: {}\n" * 500) == "state-damaged/state-damaged"


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "clipform.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    before = path.read_bytes()
    for use in (_look, _write):
        with pytest.raises(StateDamaged, match="another program"):
            use(tmp_path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("journal", ["PERSIST", "WAL"])
def test_a_newer_state_is_refused_and_stays_as_it_is(tmp_path: Path, journal: str) -> None:
    Store.open(tmp_path, Clock()).close()
    path = tmp_path / "clipform.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute("PRAGMA user_version=99")
    before = path.read_bytes()
    for use in (_look, _write):
        with pytest.raises(StateNewer, match="99"):
            use(tmp_path)
    assert path.read_bytes() == before


def test_on_a_full_disk_nothing_is_half_written_and_the_store_goes_on_later(
    store: Store, file_limit: Callable[[int], AbstractContextManager[None]]
) -> None:
    with file_limit(1024), pytest.raises(StateError) as error:
        for number in range(200):
            store.begin(order(f"v1:{number}", document="x" * 4000))
    assert error.value.code in ("disk-full", "state-io")
    begun = len(store.snapshot().attempts)
    assert len(store.events()) == begun + 1
    store.begin(order("v1:later"))
    rebuild(store)
    assert len(store.snapshot().attempts) == begun + 1


def test_a_folder_that_cannot_be_made_is_a_plain_error() -> None:
    with pytest.raises(StateError, match="cannot create the state folder"):
        Store.open(Path("/proc/clipform/state"), Clock())


def test_a_state_folder_that_is_a_file_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("mine")
    with pytest.raises(StateError):
        Store.open(tmp_path / "state", Clock())


def test_a_reader_takes_back_what_a_killed_writer_left_half_done(tmp_path: Path) -> None:
    with Store.open(tmp_path, Clock()) as store:
        store.begin(order("v1:kept"))
    child = os.fork()
    if child == 0:
        connection = sqlite3.connect(tmp_path / "clipform.db", isolation_level=None)
        connection.execute("PRAGMA cache_size=1")  # spill: the database file itself is changed before the commit
        connection.execute("BEGIN IMMEDIATE")
        for number in range(2000):
            connection.execute("INSERT INTO plan (id, time) VALUES (?, 0)", (f"half-{number}" * 20,))
        os._exit(9)
    os.waitpid(child, 0)
    assert any((tmp_path / "clipform.db-journal").read_bytes()[:8])
    reader = Store.read(tmp_path, Clock())
    assert reader is not None
    with reader:
        assert set(reader.snapshot().attempts) == {"v1:kept"}
        assert reader.sql.connection.execute("SELECT count(*) FROM plan").fetchone() == (0,)
