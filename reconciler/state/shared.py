"""Opens the state that several machines share: purchases are in PostgreSQL, bindings and outputs stay with each copy.

Imported only for a project that has a `state` section.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.diagnostics import StateError
from reconciler.state import open as opening
from reconciler.state import shared_schema
from reconciler.state.history import Clock
from reconciler.state.sql.postgres import PostgreSQL
from reconciler.state.sql.sqlite import SQLite
from reconciler.state.store import Store


def connect(url: str, schema: str, project: str) -> PostgreSQL:
    """Return a shared database: its address, without a password, the schema whose members share what they bought, and
    the name of the project whose budget counts.

    It connects with the first statement, and again after the connection broke. Raises StateError for an address that
    is not one; whatever is done later raises StateError `state-unreachable` while the database cannot be asked,
    `state-rights` for a role without rights, and `state-absent` until `shared_schema.migrate` was run.
    """
    return PostgreSQL(url, schema, project)


def open_store(sql: PostgreSQL, directory: Path, clock: Clock) -> Store:
    """Open for writing: the shared ledger, and the desk in `DIR/clipform.db`, which is created when needed.

    Raises StateError where a commit may be lost: a database without `fsync` forgets purchases in a power cut.
    """
    with sql.reading():
        shared_schema.require(sql)
        ((synced,),) = sql.query("SELECT current_setting('fsync')")
    if synced != "on":
        raise StateError("the database runs with fsync = off: a power cut would lose purchases", code="state-unsynced")
    store = Store(sql, clock, SQLite(opening.open_writable(directory)))
    try:
        store.complete()
    except BaseException:
        store.close()
        raise
    return store


def read_store(sql: PostgreSQL, directory: Path, clock: Clock) -> Store:
    """Open read-only: the desk of a working copy that has none yet is an empty one in memory."""
    connection = opening.open_readonly(directory)
    return Store(sql, clock, SQLite(connection or opening.open_copy(directory)))
