"""The store of a working copy: the ledger and the desk, in one SQLite database; or a ledger that several machines share
(`shared`), and the desk beside it.

The caller holds the lock (`lock`) for as long as it writes; the database's rules hold even without it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Self

from reconciler.diagnostics import Refused
from reconciler.providers.base import LOCAL
from reconciler.records import Attempt, Snapshot
from reconciler.state import open as opening
from reconciler.state import snapshot as reads
from reconciler.state.budget import Caps, NewAttempt
from reconciler.state.desk import Desk
from reconciler.state.history import Clock
from reconciler.state.ledger import Allow, Ledger
from reconciler.state.receipts import SharedReceipts
from reconciler.state.sql.port import Question, Sql
from reconciler.state.sql.sqlite import SQLite

LEASE = 120.0
"""Seconds for which an attempt is held after each renewal; a process renews four times as often."""
DEADLINE = 10.0
"""Seconds after the beginning of an attempt within which its request must begin to leave."""


class Store(Ledger):
    """An open database: `open` to write, `read` for read-only. Close it, or use it as a context manager."""

    is_shared = False
    owner = ""
    """This working copy among those of a shared store (`leases.Member`)."""
    is_offline = False
    """True for the mirror of a shared state that cannot be reached now."""
    team: SharedReceipts | None = None
    """Where the machines of a team have their receipts."""

    def __init__(self, sql: Sql, clock: Clock, desk: Sql | None = None) -> None:
        super().__init__(sql, clock)
        self.desk = Desk(desk or sql, clock)

    @classmethod
    def open(cls, directory: Path, clock: Clock) -> Store:
        """Open for writing; create the directory and the database, or bring them up to date, when needed."""
        store = cls(SQLite(opening.open_writable(directory)), clock)
        try:
            store.complete()
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

    def holder(self, attempt: Attempt) -> str:
        """Return who else carries out an attempt now: nobody, where the lock keeps all others out."""
        return ""

    def pause(self, account: str, seconds: float) -> None:
        """Stop the other machines of an account for so many seconds; none, where nobody shares it."""

    def paused(self, account: str) -> float:
        """Return how many seconds of a pause of an account remain that another machine was asked for."""
        return 0.0

    def speaker(self, account: str) -> str:
        """Return who else speaks for an account whose tokens exclude each other."""
        return ""

    def in_doubt_at(self, place: str) -> tuple[Attempt, ...]:
        """Return the requests whose fate the receipts of a team may prove: none, where nobody else has receipts."""
        return ()

    def renew(self) -> None:
        """Go on holding what this process holds."""

    def close(self) -> None:
        """Close the databases. Everything committed is durable already."""
        self.sql.close()
        self.desk.sql.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run several calls as one transaction, also nested. Never await inside.

        Of two databases the ledger is committed first: a desk that lacks a purchase is free to bring up to date.
        """
        with self.desk.sql.transaction() if self.desk.sql is not self.sql else nullcontext(), self.sql.transaction():
            yield

    @property
    def joined(self) -> tuple[str, float] | None:
        """The id of the shared state that these records mirror, and as of when; None if they are a state themselves."""
        values = self.desk.sql.query("SELECT value FROM meta WHERE name = 'joined'")
        shared, _, time = str(values[0][0]).partition(" ") if values else ("", "", "")
        return (shared, float(time)) if shared else None

    def begin(self, new: NewAttempt, caps: Caps | None = None, allow: Allow = lambda: None) -> Attempt:
        """Write the intent as `Ledger.begin`. Raises Refused for records that only mirror a shared state."""
        if not self.is_shared and new.kind != LOCAL and self.joined is not None:
            raise Refused("these records are those of a shared state: nothing is bought by them", code="state-joined")
        return super().begin(new, caps, allow)

    @property
    def mirrored(self) -> tuple[int, float]:
        """The number and the time of the newest event of the shared state that these records have; 0 and 0 if none."""
        values = self.desk.sql.query("SELECT value FROM meta WHERE name = 'mirrored'")
        number, _, time = str(values[0][0]).partition(" ") if values else ("0", "", "0")
        return int(number), float(time)

    def lacking(self) -> list[str]:
        """Return the keys that takes of this working copy hold without a result on record here."""
        held = "SELECT DISTINCT key FROM binding WHERE key NOT IN (SELECT key FROM generation)"
        return [key for (key,) in self.desk.sql.query(held)]

    def keys(self) -> list[str]:
        """Return the keys that takes of this working copy hold, or that are on record here."""
        every = "SELECT key FROM binding UNION SELECT key FROM attempt UNION SELECT key FROM generation"
        return [key for (key,) in self.desk.sql.query(every)]

    def join(self, shared: str, mark: tuple[int, float] = (0, 0.0)) -> None:
        """Record that these records are those of a shared state, as of now: from then on nothing is bought by them.
        `mark`: number and time of the newest event there that they have."""
        self._append("joined", {"shared": shared, "seen": f"{mark[0]} {mark[1]!r}"})

    def detach(self) -> None:
        """Record that these records are a state themselves again."""
        self._append("detached", {})

    def snapshot(self, keys: Collection[str] | None = None) -> Snapshot:
        """Return everything that planning needs, as of one instant; of a shared ledger only what concerns `keys`, what
        this working copy holds and what its project has under way. None: all of it."""
        with self.sql.reading(), self.desk.sql.reading():
            of_keys = keys if self.is_shared else None
            return self._whole(reads.snapshot(self.sql, self.desk.sql, of_keys, self.owner, self._beside()))

    def _beside(self) -> Sequence[Question]:
        """Return what is asked of a shared ledger together with a snapshot."""
        return ()

    def _whole(self, records: Snapshot) -> Snapshot:
        """Return a snapshot with the answers to what was asked beside it."""
        return records

    def mark(self) -> tuple[str, int]:
        """Return the store's id and the number of its newest event.

        Nothing changes without an event: together with the file's `opening.stamp`, which differs after a backup was
        put back, this identifies a snapshot.
        """
        with self.sql.reading():
            return reads.store_id(self.sql), reads.sequence(self.sql)
