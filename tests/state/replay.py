"""Rebuilds every table of a store from its event log: what the tests compare the tables with."""

from __future__ import annotations

import sqlite3

from reconciler.diagnostics import StateError
from reconciler.state import history
from reconciler.state.sql.port import damaged
from reconciler.state.store import Store

DERIVED = ("ledger", "binding", "placed", "plan", "meta", "generation", "artifact", "attempt")
"""Tables that a rebuild empties, those that refer before those referred to. Triggers fill `ledger` again."""


def rebuild(store: Store) -> None:
    """Rebuild the tables, in one transaction. Raises StateDamaged for an event that does not follow."""
    with store.transaction():
        for table in DERIVED:
            if table not in ("binding", "placed") or store.desk.sql is store.sql:
                store.sql.execute(f"DELETE FROM {table}" + (" WHERE name <> 'version'" if table == "meta" else ""))
        for entry in history.read(store.sql, "ORDER BY seq"):
            try:
                store.sql.batch(*history.applied(store.sql, entry))
            except (KeyError, StateError, sqlite3.IntegrityError, sqlite3.InterfaceError) as error:
                raise damaged(f"event {entry.seq} does not follow from those before it") from error
