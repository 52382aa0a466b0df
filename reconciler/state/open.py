"""Opening a state database: whose it is, which version, whether it is sound, and bringing it up to date.

The version is looked at before anything that could write: a database of a newer clipform stays as it is, byte for byte.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from reconciler.diagnostics import StateDamaged, StateError, StateNewer
from reconciler.state import connection as sql
from reconciler.state import disk, schema
from reconciler.state.paths import DATABASE


def open_writable(directory: Path) -> sqlite3.Connection:
    """Open `DIR/clipform.db`; the folder and the database are made, or brought up to date, when needed."""
    with disk.translated("create the state folder"):
        disk.make_directories(directory)
    connection = sql.connect(directory / DATABASE, "rwc")
    try:
        version = _version(connection)
        with sql.translated():
            sql.configure(connection)
        _check(connection)
        if version < schema.VERSION:
            _migrate(connection, directory / DATABASE, version)
    except BaseException:
        connection.close()
        raise
    return connection


def open_readonly(directory: Path) -> sqlite3.Connection | None:
    """Open `DIR/clipform.db` to look only, without a lock and without writing; None when there is no state yet.

    A state of an older clipform is looked at in memory, as the next writer will bring it up to date."""
    path = directory / DATABASE
    if not path.exists():
        return None
    try:
        return _look(sql.connect(path, "ro"))
    except StateError as error:
        if error.code != "hot-journal":
            raise
    # A writer was killed inside a transaction. Opened for writing, SQLite takes back the half that was written.
    return _look(sql.connect(path, "rw"))


def open_copy(directory: Path) -> sqlite3.Connection:
    """A copy of the state in memory, an empty one when there is no state yet: what is done to it is gone with it."""
    found = open_readonly(directory)
    copy = sql.in_memory() if found is None else _copied(found)
    try:
        if found is None:
            _migrate(copy, directory, 0)
        with sql.translated():
            copy.execute("PRAGMA trusted_schema=OFF")
    except BaseException:
        copy.close()
        raise
    return copy


def stamp(directory: Path) -> tuple[int, ...]:
    """What changes with the database file, by its path alone: only SQLite opens it."""
    return disk.stamp(directory / DATABASE)


def _look(connection: sqlite3.Connection) -> sqlite3.Connection | None:
    try:
        version = _version(connection)
        if version == 0:
            connection.close()
            return None
        if version < schema.VERSION:
            connection = _brought_up(connection)
        with sql.translated():
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("PRAGMA query_only=ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _brought_up(older: sqlite3.Connection) -> sqlite3.Connection:
    """A copy in memory of an older state, up to date. The older one is closed."""
    from reconciler.state import migrations

    copy = _copied(older)
    try:
        migrations.migrate(copy)
    except BaseException:
        copy.close()
        raise
    return copy


def _copied(original: sqlite3.Connection) -> sqlite3.Connection:
    """A copy in memory. The original is closed."""
    with closing(original):
        copy = sql.in_memory()
        with sql.translated():
            original.backup(copy)
    return copy


def _version(connection: sqlite3.Connection) -> int:
    """The schema's version, 0 for a file that holds nothing yet. Raises for what is not ours, or newer than we are."""
    with sql.translated():
        owner, version = sql.pragma(connection, "application_id"), sql.pragma(connection, "user_version")
        empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if owner != schema.APPLICATION_ID and not (owner == 0 and version == 0 and empty):
        raise StateDamaged("clipform.db is a database of another program", code="state-foreign")
    if version > schema.VERSION:
        text = f"the state has schema {version}, this clipform knows up to {schema.VERSION}"
        raise StateNewer(text, help="upgrade clipform; the state was left as it is", code="state-newer")
    return version


def _check(connection: sqlite3.Connection) -> None:
    """A writer trusts no page unseen: `quick_check` walks them all. A reader meets damage where it reads."""
    with sql.translated():
        found = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != ("ok",):
        raise sql.damaged(str(found[0]) if found else "quick_check gave no answer")


def _migrate(connection: sqlite3.Connection, path: Path, version: int) -> None:
    from reconciler.state import migrations  # sqlite-utils takes 0.4 s to import: only when there is work for it

    if version:
        migrations.backup(connection, path)
    migrations.migrate(connection)
