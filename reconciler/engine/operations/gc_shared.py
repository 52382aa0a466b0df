"""`gc --remote`: delete from the shared cache what is old and no lock file of the team names."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

from reconciler.artifacts.shelf import Shelf
from reconciler.artifacts.store import Stored
from reconciler.diagnostics import ClipformError, UsageError
from reconciler.engine.run.lockfile_sync import lines_of
from reconciler.engine.run.session import Session
from reconciler.project.git import Revision, references
from reconciler.spec.files import Unreadable
from reconciler.state import lockfile
from reconciler.state.paths import LOCK_FILE


def old_objects(session: Session, before: float, pattern: str) -> list[Stored]:
    """Return the objects of the shared cache that were written before `before` (UTC seconds), and that no lock file
    names, neither here nor at a git reference that matches.

    Raises UsageError if none matches: nothing would be spared. Raises ClipformError if a lock file cannot be read.
    """
    loaded = session.workspace.load()
    named = {sha256 for entry in lines_of(session, loaded).values() for sha256 in entry.named()}
    named |= _named(session.workspace.root, pattern)
    named |= {attempt.sha256 for attempt in session.store.attempts() if attempt.sha256}
    objects = _shelf(session).listing("objects")
    return [
        Stored(name, "", size)
        for name, (size, written) in sorted(objects.items(), key=lambda item: item[1][1])
        if written < before and name not in named
    ]


def delete_objects(session: Session, objects: list[Stored]) -> None:
    """Delete objects, and before them the results and claims that lead to them: no reference is left without bytes."""
    shelf, deleted = _shelf(session), {item.sha256 for item in objects}
    for rehearsal in (False, True):
        for key in shelf.keys(rehearsal):
            try:
                entry = shelf.result(key, rehearsal)
            except ClipformError:
                continue  # a damaged one names nothing
            if entry is not None and entry.sha256 in deleted:
                shelf.forget(key, rehearsal)
    for item in objects:
        shelf.delete(f"objects/{item.sha256}")
        shelf.memory.forget(item.sha256)
    shelf.memory.save()


def _named(root: Path, pattern: str) -> set[str]:
    """Return the SHA-256 of all lines of the lock files at matching references."""
    names = [name for name in references(root) if fnmatchcase(name, pattern)]
    if not names:
        raise UsageError(f"no git reference matches '{pattern}'", help="fetch the branches whose videos are to stay")
    named = set[str]()
    for name in names:
        with Revision(root, name) as revision:
            try:
                text = revision.read(LOCK_FILE).decode("utf-8", "replace")
            except Unreadable as error:
                if error.message != "does not exist":
                    raise ClipformError(f"{LOCK_FILE} of {name} {error.message}", code="lock-file") from error
                continue
            lines = lockfile.loads(text, f"{name}:{LOCK_FILE}")
            named |= {sha256 for line in lines for sha256 in line.named()}
    return named


def _shelf(session: Session) -> Shelf:
    workspace = session.workspace
    section = workspace.load().project.cache
    if not section:
        raise ClipformError("the project has no shared cache", code="no-cache")
    return Shelf(section, workspace.env, workspace.state_dir(False))
