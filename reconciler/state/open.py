"""Opens a state database: checks its owner, version and soundness, and brings it up to date.

The version is read before anything that could write: a database of a newer clipform stays the same, byte for byte.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from reconciler.diagnostics import StateDamaged, StateError, StateNewer
from reconciler.state import disk, new_database, schema
from reconciler.state.paths import DATABASE
from reconciler.state.sql import port, sqlite


def open_writable(directory: Path) -> sqlite3.Connection:
    """Open `DIR/clipform.db`; create the folder and the database, or bring them up to date, when needed."""
    with disk.translated("create the state folder"):
        disk.make_directories(directory)
    connection = sqlite.connect(directory / DATABASE, "rwc")
    try:
        version = _version(connection)
        with sqlite.translated():
            sqlite.configure(connection)
        _check(connection)
        if version < schema.VERSION:
            _migrate(connection, directory / DATABASE, version)
    except BaseException:
        connection.close()
        raise
    return connection


def open_readonly(directory: Path) -> sqlite3.Connection | None:
    """Open `DIR/clipform.db` read-only, without a lock; None when it does not exist yet.

    A state of an older clipform is read from a copy in memory, brought up to date as the next writer will.
    """
    path = directory / DATABASE
    if not path.exists():
        return None
    try:
        return _readonly(sqlite.connect(path, "ro"))
    except StateError as error:
        if error.code != "hot-journal":
            raise
    # A writer was killed inside a transaction. Opened for writing, SQLite rolls it back.
    return _readonly(sqlite.connect(path, "rw"))


def open_copy(directory: Path) -> sqlite3.Connection:
    """Open a copy of the state in memory, an empty one when none exists yet. Changes to it are lost."""
    original = open_readonly(directory)
    copy = sqlite.in_memory() if original is None else _copied(original)
    try:
        if original is None:
            _migrate(copy, directory, 0)
        with sqlite.translated():
            copy.execute("PRAGMA trusted_schema=OFF")
    except BaseException:
        copy.close()
        raise
    return copy


def stamp(directory: Path) -> tuple[int, ...]:
    """Return values that change with the database file, from its path alone: only SQLite opens it."""
    return disk.stamp(directory / DATABASE)


def _readonly(connection: sqlite3.Connection) -> sqlite3.Connection | None:
    try:
        version = _version(connection)
        if version == 0:
            connection.close()
            return None
        if version < schema.VERSION:
            connection = _upgraded_copy(connection)
        with sqlite.translated():
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("PRAGMA query_only=ON")
            connection.execute("PRAGMA temp_store=MEMORY")  # looking at a project writes no file
    except BaseException:
        connection.close()
        raise
    return connection


def _upgraded_copy(older: sqlite3.Connection) -> sqlite3.Connection:
    """Return a copy in memory of an older state, brought up to date. Closes the original."""
    from reconciler.state import migrations

    copy = _copied(older)
    try:
        migrations.migrate(copy)
    except BaseException:
        copy.close()
        raise
    return copy


def _copied(original: sqlite3.Connection) -> sqlite3.Connection:
    """Return a copy in memory. Closes the original."""
    with closing(original):
        copy = sqlite.in_memory()
        with sqlite.translated():
            original.backup(copy)
    return copy


def _version(connection: sqlite3.Connection) -> int:
    """Return the schema's version, 0 for an empty file. Raises for a foreign or a newer database."""
    with sqlite.translated():
        owner, version = sqlite.pragma(connection, "application_id"), sqlite.pragma(connection, "user_version")
        empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if owner != schema.APPLICATION_ID and not (owner == 0 and version == 0 and empty):
        raise StateDamaged("clipform.db is a database of another program", code="state-foreign")
    if version > schema.VERSION:
        text = f"the state has schema {version}, this clipform supports up to {schema.VERSION}"
        raise StateNewer(text, help="upgrade clipform; the state was left as it is", code="state-newer")
    return version


def _check(connection: sqlite3.Connection) -> None:
    """Check all pages before writing, with `quick_check`. A reader detects damage where it reads."""
    with sqlite.translated():
        answer = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != ("ok",):
        raise port.damaged(str(answer[0]) if answer else "quick_check gave no answer")


def _migrate(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Create the tables of a new database, or bring those of an older version up to date."""
    if not version:
        new_database.create(connection)
        return
    from reconciler.state import migrations  # sqlite-utils takes 0.4 s to import: only when there is work for it

    migrations.backup(connection, path)
    migrations.migrate(connection)
