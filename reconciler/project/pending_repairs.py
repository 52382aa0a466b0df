"""What the next writer will make of the records before it plans, so that who only looks sees what `apply` will say.

After a kill, the database calls a request "submitting" that nobody is sending any more; where the database was lost or
is older than the receipts, these know purchases that it does not. A writer puts both right at its start, under the
lock. A reader does the same in memory, and only where a glance tells that there may be something to do.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.clock import Clock
from reconciler.providers.base import LOCAL
from reconciler.records import UNDECIDED, Snapshot, State
from reconciler.state import lock, receipts
from reconciler.state.store import Facts, Store


def settle_orphans(store: Store) -> None:
    """Whoever was submitting is dead, for no other process holds the lock. A draft died too; anything else may have
    been bought."""
    for attempt in store.recover_orphans(except_kinds=(LOCAL,)):
        if attempt.kind == LOCAL:  # the others come back UNCERTAIN, and stay so
            store.move(attempt, State.NOT_SENT, Facts(message="the render ended with its process"))


def is_due(records: Snapshot, directory: Path) -> bool:
    """Whether a writer may find something to put right, and no process is at it.

    An attempt that is undecided is the newest of its key. An intent is committed before its receipt is written, and a
    run begins with a merge: a database that knows the newest receipt knows of all requests, and of all answers but
    those of undecided ones."""
    attempts = records.attempts.values()
    if not any(attempt.state in UNDECIDED for attempt in attempts):
        newest = receipts.newest(directory)
        if newest is None or any(attempt.marker == newest for attempt in attempts):
            return False
    return lock.is_free(directory)


def repaired_snapshot(directory: Path, clock: Clock) -> Snapshot:
    """The records as the next writer will have them. Nothing is written."""
    with Store.copy(directory, clock.now) as store:
        store.merge(receipts.read(directory))
        settle_orphans(store)
        return store.snapshot()
