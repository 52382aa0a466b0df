"""`gc`: delete the artifacts that nothing refers to."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.artifacts.store import Stored
from reconciler.engine.run.session import Session
from reconciler.media import thumbnails
from reconciler.records import BLOCKED, OPEN, Snapshot
from reconciler.state.paths import STATE


def unreferenced_objects(session: Session, snapshot: Snapshot) -> list[Stored]:
    """Return the objects that no binding, no open or blocked attempt and no line of the lock file names.

    An imported or adopted artifact stays: no attempt made it, so its generation is its only record.
    """
    needed = {snapshot.generations[b.key].sha256 for b in snapshot.bindings.values() if b.key in snapshot.generations}
    needed |= {a.sha256 for a in snapshot.attempts.values() if a.sha256 and a.state in OPEN | BLOCKED}
    needed |= {entry.sha256 for entry in session.workspace.lock_entries()}
    from_attempts = {(key, attempt.sha256) for key, attempt in snapshot.attempts.items()}
    needed |= {g.sha256 for key, g in snapshot.generations.items() if (key, g.sha256) not in from_attempts}
    return [item for item in session.objects if item.sha256 not in needed]


def delete_objects(session: Session, items: Sequence[Stored]) -> None:
    """Delete objects and their thumbnails; the row first, so that no record names a missing file."""
    recorded = session.store.snapshot().artifacts
    for item in items:
        if item.sha256 in recorded:
            session.store.drop_artifact(item.sha256)
        session.objects.delete(item.sha256, item.suffix)
        thumbnails.forget(session.workspace.root / STATE / "cache", item.sha256)
