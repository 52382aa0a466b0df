"""Creates the tables of a new database, without sqlite-utils, whose import takes longer than everything else here.

`new_database.sql` is the schema that the steps of `migrations` lead to, and the names of these steps, as if they had
been taken. A test compares the two; it writes the file with `--update`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from reconciler.state import schema
from reconciler.state.sql import sqlite


def create(database: sqlite3.Connection) -> None:
    """Create all tables in one transaction. Two processes may try at once: the second has nothing to do."""
    with sqlite.immediate(database):
        if sqlite.pragma(database, "user_version"):
            return
        for statement in statements():
            database.execute(statement)
        database.execute(f"PRAGMA application_id={schema.APPLICATION_ID}")
        database.execute(f"PRAGMA user_version={schema.VERSION}")


def statements() -> Iterator[str]:
    """Yield the statements of the file. One ends where SQLite says that it is complete: a trigger holds others."""
    text = ""
    for line in Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            yield text.strip()
            text = ""
