"""The store of a working copy: the ledger and the desk, in one SQLite database.

The caller holds the lock (`lock`) for as long as it writes; the database's rules hold even without it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from reconciler.records import Snapshot
from reconciler.state import open as opening
from reconciler.state import snapshot as reads
from reconciler.state.desk import Desk
from reconciler.state.history import Clock
from reconciler.state.ledger import Ledger
from reconciler.state.sql.sqlite import SQLite


class Store(Ledger):
    """An open database: `open` to write, `read` for read-only. Close it, or use it as a context manager."""

    sql: SQLite

    def __init__(self, sql: SQLite, clock: Clock) -> None:
        super().__init__(sql, clock)
        self.desk = Desk(sql, clock)

    @classmethod
    def open(cls, directory: Path, clock: Clock) -> Store:
        """Open for writing; create the directory and the database, or bring them up to date, when needed."""
        store = cls(SQLite(opening.open_writable(directory)), clock)
        try:
            store._complete()
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def read(cls, directory: Path, clock: Clock) -> Store | None:
        """Open read-only, without a lock; None when no state exists yet."""
        connection = opening.open_readonly(directory)
        return None if connection is None else cls(SQLite(connection), clock)

    @classmethod
    def copy(cls, directory: Path, clock: Clock) -> Store:
        """Open a copy in memory, an empty one when no state exists yet: to try a change, which is lost."""
        return cls(SQLite(opening.open_copy(directory)), clock)

    def close(self) -> None:
        """Close the database. Everything committed is durable already."""
        self.sql.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def snapshot(self) -> Snapshot:
        """Return everything that planning needs, as of one instant."""
        with self.sql.reading():
            return reads.snapshot(self.sql, self.desk.sql)

    def mark(self) -> tuple[str, int]:
        """Return the store's id and the number of its newest event.

        Nothing changes without an event: together with the file's `opening.stamp`, which differs after a backup was
        put back, this identifies a snapshot.
        """
        with self.sql.reading():
            return reads.store_id(self.sql), reads.sequence(self.sql)

    def _complete(self) -> None:
        """Give a new database its id. After a crash before this, the next open does it."""
        if self.id:
            return
        with self.transaction():
            if not self.id:
                self._append("store", {"store": os.urandom(16).hex()})
