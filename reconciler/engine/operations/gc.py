"""`gc`: delete the artifacts that nothing refers to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.artifacts.store import Stored
from reconciler.engine.run.assembly import pieces_of
from reconciler.engine.run.session import Session
from reconciler.frozen import dataclass
from reconciler.media import thumbnails
from reconciler.plan import vendor_drafts
from reconciler.plan.cuts import KIND
from reconciler.project.versions import Version, versions
from reconciler.records import BLOCKED, OPEN, Generation, Snapshot
from reconciler.state.paths import PIECES, STATE


@dataclass(frozen=True, slots=True)
class Garbage:
    """An object that nothing uses, and the version of a take that it is; None for a frame or an unknown file."""

    item: Stored
    version: Version | None


def garbage(session: Session, keep: int = 0, before: float | None = None) -> list[Garbage]:
    """Return the objects that nothing uses, oldest versions first, without the newest `keep` of each take and without
    those since `before` (UTC seconds)."""
    snapshot = session.store.snapshot()
    takes = versions(session.store.events(), snapshot)
    by_content = _by_content(takes.values())
    kept = set[str]()
    for listed in takes.values() if keep else ():
        earlier = [version for version in listed if version.result is not None and not version.is_current]
        kept |= {version.result.sha256 for version in earlier[-keep:] if version.result is not None}
    items = [Garbage(item, by_content.get(item.sha256)) for item in unreferenced_objects(session, snapshot)]
    chosen = [each for each in items if each.item.sha256 not in kept]
    if before is not None:
        chosen = [each for each in chosen if _made(session, each) < before]
    return sorted(chosen, key=lambda each: _order(each.version))


def _by_content(takes: Iterable[Sequence[Version]]) -> Mapping[str, Version]:
    listed = (version for each in takes for version in each)
    return {version.result.sha256: version for version in listed if version.result is not None}


def _made(session: Session, each: Garbage) -> float:
    """Return when an object was made, else when its file was written."""
    if each.version is not None and each.version.result is not None and each.version.result.created:
        return each.version.result.created
    return session.objects.path(each.item.sha256, each.item.suffix).stat().st_mtime


def _order(version: Version | None) -> tuple[bool, str, int, int]:
    return (True, "", 0, 0) if version is None else (False, version.clip, version.take, version.number)


def unreferenced_objects(session: Session, snapshot: Snapshot) -> list[Stored]:
    """Return the objects that no binding, no open or blocked attempt and no line of the lock file names.

    An imported or adopted artifact stays: no attempt made it, so its generation is its only record. A vendor's draft
    stays as long as a final can be made from its task.
    """
    needed = {snapshot.generations[b.key].sha256 for b in snapshot.bindings.values() if b.key in snapshot.generations}
    needed |= {a.sha256 for a in snapshot.attempts.values() if a.sha256 and a.state in OPEN | BLOCKED}
    needed |= {sha256 for entry in session.workspace.lock_entries() for sha256 in entry.named()}
    from_attempts = {(key, attempt.sha256) for key, attempt in snapshot.attempts.items()}
    needed |= {
        g.sha256 for key, g in snapshot.generations.items() if (key, g.sha256) not in from_attempts and g.kind != KIND
    }
    needed |= {g.sha256 for g in _unused_drafts(snapshot, session.clock.now())}
    return [item for item in session.objects if item.sha256 not in needed]


def _unused_drafts(snapshot: Snapshot, now: float) -> Iterable[Generation]:
    """Return the vendors' drafts whose final is not made and can be."""
    results = snapshot.generations.values()
    used = {vendor_drafts.draft_key(g.document) for g in results}
    drafts = (g for g in results if g.task and vendor_drafts.is_draft(g.document) and g.key not in used)
    until = {g.key: vendor_drafts.usable_until(g, snapshot.attempts.get(g.key)) for g in drafts}
    return [g for g in results if g.key in until and now < (until[g.key] or g.created + vendor_drafts.LIFE)]


def delete_objects(session: Session, items: Sequence[Stored]) -> None:
    """Delete objects and their thumbnails; the row first, so that no record names a missing file. The records of a
    shared store stay: others have the file, and the shared cache."""
    recorded = {} if session.store.is_shared else session.store.snapshot().artifacts
    for item in items:
        if item.sha256 in recorded:
            session.store.drop_artifact(item.sha256)
        session.objects.delete(item.sha256, item.suffix)
        thumbnails.forget(session.workspace.root / STATE / "cache", item.sha256)


def delete_pieces(session: Session) -> list[int]:
    """Delete the pieces that no film has now, which are made again for free, and return their sizes in bytes."""
    folder = session.workspace.state_dir(session.draft) / PIECES
    needed = pieces_of(folder, {bound.clip for bound in session.store.snapshot().bindings.values()})
    unused = [(path.stat().st_size, path) for path in folder.glob("*") if path.name not in needed]
    for _, path in unused:
        path.unlink()
    return [size for size, path in unused if path.suffix == ".mp4"]
