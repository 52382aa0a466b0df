"""`gc`: delete the artifacts that nothing refers to."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.artifacts.store import Stored
from reconciler.engine.run.session import Session
from reconciler.media import thumbnails
from reconciler.records import BLOCKED, OPEN, Snapshot
from reconciler.state.paths import STATE


def unreferenced_objects(session: Session, snapshot: Snapshot) -> list[Stored]:
    """Objects that no binding, no open or blocked attempt and no line of the lock file names, and stray frames. What
    was imported or adopted stays: its generation, which would go too, is all that is known of it. An attempt of its key
    that made something else, or nothing, knows nothing of it."""
    kept = {snapshot.generations[b.key].sha256 for b in snapshot.bindings.values() if b.key in snapshot.generations}
    kept |= {a.sha256 for a in snapshot.attempts.values() if a.sha256 and a.state in OPEN | BLOCKED}
    kept |= {entry.sha256 for entry in session.workspace.lock_entries()}
    made_here = {(key, attempt.sha256) for key, attempt in snapshot.attempts.items()}
    kept |= {made.sha256 for key, made in snapshot.generations.items() if (key, made.sha256) not in made_here}
    return [item for item in session.objects if item.sha256 not in kept]


def delete_objects(session: Session, items: Sequence[Stored]) -> None:
    """Delete objects: the row first, so that nothing ever names what is gone. Their posters go with them."""
    known = session.store.snapshot().artifacts
    for item in items:
        if item.sha256 in known:
            session.store.drop_artifact(item.sha256)
        session.objects.delete(item.sha256, item.suffix)
        thumbnails.forget(session.workspace.root / STATE / "cache", item.sha256)
