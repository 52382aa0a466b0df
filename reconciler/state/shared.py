"""Opens the state that several machines share: purchases are in PostgreSQL, bindings and outputs stay with each copy.

Imported only for a project that has a `state` section.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reconciler.diagnostics import StateError
from reconciler.state import open as opening
from reconciler.state import shared_schema
from reconciler.state.history import Clock
from reconciler.state.leases import Member, SharedStore
from reconciler.state.ledger import Ledger
from reconciler.state.sql.port import NONE
from reconciler.state.sql.postgres import PostgreSQL
from reconciler.state.sql.sqlite import SQLite

_SYNCED = "SELECT current_setting('fsync')"


def connect(url: str, schema: str, project: str) -> PostgreSQL:
    """Return a shared database: its address, without a password, the schema whose members share what they bought, and
    the name of the project whose budget counts.

    It connects with the first statement, and again after the connection broke. Raises StateError for an address that
    is not one; whatever is done later raises StateError `state-unreachable` while the database cannot be asked,
    `state-rights` for a role without rights, and `state-absent` until `shared_schema.migrate` was run.
    """
    return PostgreSQL(url, schema, project)


def ledger(sql: PostgreSQL, clock: Clock) -> Ledger:
    """Open the shared ledger alone. Raises as `open_store`."""
    _require_safe(sql)
    opened = Ledger(sql, clock)
    opened.complete()
    return opened


def _require_safe(sql: PostgreSQL) -> None:
    with sql.reading():
        sql.ask((shared_schema.PRESENT, NONE), (_SYNCED, NONE), last=True)
        shared_schema.require(sql)
        ((synced,),) = sql.query(_SYNCED)
    if synced != "on":
        raise StateError("the database runs with fsync = off: a power cut would lose purchases", code="state-unsynced")


def open_store(sql: PostgreSQL, directory: Path, clock: Clock, member: Callable[[str], Member]) -> SharedStore:
    """Open for writing: the shared ledger, and the desk in `DIR/clipform.db`, which is created when needed. `member`
    says who this working copy is, from the random id of its desk.

    Raises StateError where a commit may be lost: a database without `fsync` forgets purchases in a power cut.
    """
    _require_safe(sql)
    desk = SQLite(opening.open_writable(directory))
    try:
        local = Ledger(desk, clock)
        local.complete()
        store = SharedStore(sql, clock, desk, member(local.id))
        store.complete()
    except BaseException:
        desk.close()
        sql.close()
        raise
    return store


def read_store(sql: PostgreSQL, directory: Path, clock: Clock, member: Callable[[str], Member]) -> SharedStore:
    """Open read-only. The desk of a working copy that has none yet is an empty one in memory."""
    desk = SQLite(opening.open_readonly(directory) or opening.open_copy(directory))
    local = Ledger(desk, clock).id
    return SharedStore(sql, clock, desk, member(local) if local else Member("", ""))
