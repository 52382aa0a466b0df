"""Apply the next writer's repairs to the records in memory, so that `plan` and `status` show what `apply` will do.

After a kill, the database has a request as "submitting" that no process sends any more; a database that was lost or
restored lacks purchases that the receipts have. A writer repairs both at its start, under the lock. A reader does the
same in a copy, and only if a quick check finds a reason.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from reconciler.clock import Clock
from reconciler.diagnostics import ArtifactError
from reconciler.providers.base import LOCAL
from reconciler.records import UNDECIDED, Snapshot, State
from reconciler.state import lock, receipts
from reconciler.state.ledger import Facts
from reconciler.state.receipts import Receipts
from reconciler.state.store import Store


def settle_orphans(store: Store, bought: Receipts | None = None) -> None:
    """Settle the attempts of dead processes; the caller holds the lock. A local render ended with its process. Of other
    requests the team's receipts may prove the fate; else they become uncertain: the provider may have accepted them."""
    if bought is not None and bought.place:
        with suppress(ArtifactError):  # without the bucket, they stay in doubt
            if lines := [line for attempt in store.in_doubt_at(bought.place) for line in bought.settled(attempt)]:
                store.merge(lines)
    for attempt in store.recover_orphans(except_kinds=(LOCAL,)):
        if attempt.kind == LOCAL:  # the others are UNCERTAIN now
            store.move(attempt, State.NOT_SENT, Facts(message="the render ended with its process"))


def is_due(records: Snapshot, directory: Path) -> bool:
    """True if a writer may have something to repair and no process is running."""
    return needs_repair(records, directory) and lock.is_free(directory)


def needs_repair(records: Snapshot, directory: Path) -> bool:
    """True if a writer may have something to repair, or a running process has begun something.

    An undecided attempt is the newest of its key. An intent is committed before its receipt is written, and a run
    begins with a merge: a database that has the newest receipt has all requests, and all answers but those of
    undecided ones."""
    attempts = records.attempts.values()
    if any(attempt.state in UNDECIDED for attempt in attempts):
        return True
    newest = receipts.newest(directory)
    return newest is not None and all(attempt.marker != newest for attempt in attempts)


def repaired_snapshot(directory: Path, clock: Clock) -> Snapshot:
    """Return the records as the next writer will have them, without writing them."""
    with Store.copy(directory, clock.now) as store:
        store.merge(receipts.read(directory))
        settle_orphans(store)
        return store.snapshot()
