"""Schema steps: a kill at any statement leaves the old schema or the new one, and the rules are those of `records`."""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database, Migrations
from state_kit import Clock, order

from reconciler.diagnostics import StateError
from reconciler.state import migrations, new_database, schema
from reconciler.state.sql import sqlite
from reconciler.state.store import Store
from tests.state.replay import rebuild


def _killed_at(statement: int, act: Callable[[], object]) -> bool:
    """Do something in a process that dies when SQLite begins its nth statement; False when it got to the end."""
    pid = os.fork()
    if pid == 0:
        seen = itertools.count(1)
        _hear(lambda _: os._exit(9) if next(seen) == statement else None)
        try:
            act()
            os._exit(0)
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, 9)
    return code == 9


def _hear(hear: Callable[[str], object]) -> None:
    """Let every connection from here on say each statement that it begins."""

    class Heard(sqlite3.Connection):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.set_trace_callback(hear)

    sqlite3.connect = functools.partial(sqlite3.connect, factory=Heard)


def _places(act: Callable[[], object]) -> list[int]:
    """Do something, and return the numbers of the statements where a kind follows another for the first time.

    A kill between statements of one kind differs in the table, not in what is on disk; the end is always among them.
    """
    texts: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", sqlite3.connect)
        _hear(texts.append)
        act()
    kinds = [text.split()[0].upper() for text in texts]
    steps = {step: number for number, step in reversed(list(enumerate(itertools.pairwise(["", *kinds]), 1)))}
    return sorted({*steps.values(), len(texts)})


def _schema(directory: Path) -> list[tuple[str, str]]:
    with closing(sqlite.connect(directory / "clipform.db", "ro")) as database:
        found = database.execute("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name").fetchall()
        return [(name, text) for name, text in found if not name.startswith("sqlite_autoindex")]


def test_a_kill_at_any_statement_of_the_first_open_is_mended_by_the_next(tmp_path: Path) -> None:
    statements = _places(lambda: Store.open(tmp_path / "whole", Clock()).close())
    for statement in statements:
        directory = tmp_path / str(statement)
        assert _killed_at(statement, functools.partial(Store.open, directory, Clock()))
        reader = Store.read(directory, Clock())
        if reader is not None:
            reader.close()
        with Store.open(directory, Clock()) as store:
            store.begin(order())
            assert [entry.type for entry in store.events()] == ["store", "begun"]
        assert _schema(directory) == _schema(tmp_path / "whole")
    assert len(statements) > 15


def _next_version() -> Migrations:
    """Ours, and one step more."""
    steps = Migrations(migrations.migrations.name)
    steps(name="first")(migrations.first)
    steps(name="second")(migrations.second)
    steps(name="third")(migrations.third)
    steps(name="fourth")(migrations.fourth)
    steps(name="fifth")(migrations.fifth)
    steps(name="sixth")(migrations.sixth)

    @steps()
    def seventh(db: Database) -> None:
        db.table("attempt").add_column("region", str)
        db.execute("UPDATE meta SET value = value || '!'")
        db.table("later").create({"id": int}, pk="id", strict=True)

    return steps


def _upgrade(directory: Path) -> None:
    migrations.migrate(sqlite.connect(directory / "clipform.db", "rw"), _next_version(), schema.VERSION + 1)


def test_a_kill_at_any_statement_of_an_upgrade_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    with Store.open(tmp_path / "old", Clock()) as store:
        store.begin(order())
    old, seen = _schema(tmp_path / "old"), set()
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    statements = _places(functools.partial(_upgrade, tmp_path / "new"))
    for statement in [*statements, statements[-1] + 1]:
        directory = shutil.copytree(tmp_path / "old", tmp_path / str(statement))
        assert _killed_at(statement, functools.partial(_upgrade, directory)) is (statement in statements)
        with closing(sqlite.connect(directory / "clipform.db", "rw")) as database:
            version = sqlite.pragma(database, "user_version")
            assert (_schema(directory) == old) is (version == schema.VERSION)
            assert database.execute("SELECT value LIKE '%!' FROM meta").fetchone() == (version - schema.VERSION,)
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        seen.add(version)
    assert seen == {schema.VERSION, schema.VERSION + 1}


def test_a_database_is_copied_before_it_is_changed(tmp_path: Path) -> None:
    with Store.open(tmp_path, Clock()) as store:
        store.begin(order())
        copy = migrations.backup(store.sql.connection, tmp_path / "clipform.db")
        assert copy.name == f"clipform.db.v{schema.VERSION}"
        with closing(sqlite.connect(copy, "ro")) as saved:
            assert list(saved.iterdump()) == list(store.sql.connection.iterdump())


def test_the_rules_in_a_fresh_database_are_those_of_the_records(store: Store) -> None:
    found = {row[0] for row in store.sql.connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")}
    assert set(schema.rules()) <= found


def _migrated() -> sqlite3.Connection:
    """An empty database that took every step."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    migrations.migrate(database)
    return database


def _as_statements(database: sqlite3.Connection) -> str:
    """The statements that make the same schema and the same list of steps taken."""
    query = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    made = [row[0] for row in database.execute(query)]
    steps = [row[0] for row in database.execute("SELECT name FROM _sqlite_migrations ORDER BY id")]
    columns = "_sqlite_migrations (migration_set, name, applied_at)"
    taken = [f"INSERT INTO {columns} VALUES ('clipform', '{name}', datetime('now'))" for name in steps]
    return "".join(f"{text};\n" for text in [*made, *taken])


def test_a_new_database_is_what_every_step_leads_to(request: pytest.FixtureRequest) -> None:
    file = Path(new_database.__file__).with_suffix(".sql")
    with closing(_migrated()) as migrated:
        if request.config.getoption("update"):
            file.write_text(_as_statements(migrated), encoding="utf-8")
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
            new_database.create(new)
            assert _as_statements(new) == _as_statements(migrated) == file.read_text(encoding="utf-8")
            pragmas = ("application_id", "user_version")
            assert [sqlite.pragma(new, name) for name in pragmas] == [schema.APPLICATION_ID, schema.VERSION]
            assert [sqlite.pragma(migrated, name) for name in pragmas] == [schema.APPLICATION_ID, schema.VERSION]


def test_of_two_processes_that_create_a_database_at_once_the_second_has_nothing_to_do(tmp_path: Path) -> None:
    with closing(sqlite.connect(tmp_path / "clipform.db", "rwc")) as database:
        new_database.create(database)
        database.execute("INSERT INTO meta VALUES ('store', 'one')")
        new_database.create(database)
        assert database.execute("SELECT * FROM meta").fetchall() == [("store", "one")]


SCHEMAS = sorted((Path(__file__).parent / "schemas").glob("*.sql"))
"""A dump of a state of each schema before this one: three attempts, one done, one under way, one in doubt."""


def _state_of(dump: Path, directory: Path) -> None:
    directory.mkdir(exist_ok=True)
    with closing(sqlite3.connect(directory / "clipform.db")) as database:
        database.executescript(dump.read_text(encoding="utf-8"))


def test_every_schema_before_this_one_has_its_dump() -> None:
    assert [dump.stem for dump in SCHEMAS] == [f"v{number}" for number in range(1, schema.VERSION)]


@pytest.mark.parametrize("dump", SCHEMAS, ids=lambda dump: dump.stem)
def test_a_reader_sees_an_older_state_as_the_next_writer_will_make_it_and_leaves_it_as_it_is(
    dump: Path, tmp_path: Path
) -> None:
    _state_of(dump, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    reader = Store.read(tmp_path, Clock())
    assert reader is not None
    with reader:
        found = (reader.id, reader.snapshot(), reader.spent(), reader.events())
        with pytest.raises(StateError):
            reader.begin(order("v1:new"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    with Store.open(tmp_path, Clock()) as store:
        assert (store.id, store.snapshot(), store.spent(), store.events()) == found


@pytest.mark.parametrize("dump", SCHEMAS, ids=lambda dump: dump.stem)
def test_an_older_state_is_copied_before_a_writer_brings_it_up_to_date(dump: Path, tmp_path: Path) -> None:
    _state_of(dump, tmp_path)
    Store.open(tmp_path, Clock()).close()
    with closing(sqlite.connect(tmp_path / f"clipform.db.{dump.stem}", "ro")) as saved:
        assert saved.execute("SELECT count(*) FROM attempt").fetchone() == (3,)
    Store.open(tmp_path / "new", Clock()).close()
    assert dict(_schema(tmp_path)).keys() == dict(_schema(tmp_path / "new")).keys()


@pytest.mark.parametrize("dump", SCHEMAS, ids=lambda dump: dump.stem)
def test_what_an_older_state_remembers_is_remembered_and_follows_from_its_log(dump: Path, tmp_path: Path) -> None:
    _state_of(dump, tmp_path)
    with Store.open(tmp_path, Clock()) as store:
        snapshot, spent = store.snapshot(), store.spent()
        found = {key: (a.state.value, a.task, a.endpoint) for key, a in snapshot.attempts.items()}
        assert found == {
            "v1:aa": ("done", "task-1", ""),
            "v1:bb": ("accepted", "task-2", ""),
            "v1:cc": ("uncertain", None, ""),
        }
        assert (spent["USD"].settled, spent["USD"].reserved) == (500_000, 250_000)
        assert store.account(snapshot.attempts["v1:aa"]) == "cafe"
        rebuild(store)
        assert (store.snapshot(), store.spent()) == (snapshot, spent)
        with pytest.raises(StateError):
            store.begin(order("v1:bb"))


@pytest.mark.parametrize("dump", SCHEMAS, ids=lambda dump: dump.stem)
def test_a_kill_at_any_statement_of_bringing_it_up_to_date_is_mended_by_the_next(dump: Path, tmp_path: Path) -> None:
    _state_of(dump, tmp_path / "old")
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    statements = _places(lambda: Store.open(tmp_path / "new", Clock()).close())
    for statement in statements:
        directory = shutil.copytree(tmp_path / "old", tmp_path / str(statement))
        assert _killed_at(statement, functools.partial(Store.open, directory, Clock()))
        with Store.open(directory, Clock()) as store:
            assert len(store.snapshot().attempts) == 3
    assert len(statements) > 10
