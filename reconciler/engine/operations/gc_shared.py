"""`gc --remote`: delete from the shared cache what is old and nobody needs.

    objects/   what no lock file of the team names, with the results and claims that lead there
    drafts/    what no young order's name leads to; a draft is free to render again
    inputs/    what no open order names; only with the database, which knows the orders

Everything else is small, and stays: a claim may be of a purchase that is under way, and receipts and meta/ are what a
lost database is rebuilt by.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

from reconciler.artifacts.shelf import SharedFile, Shelf
from reconciler.diagnostics import ClipformError, UsageError
from reconciler.engine.run.lockfile_sync import lines_of
from reconciler.engine.run.session import Session
from reconciler.project.git import Revision, references
from reconciler.project.handed import INPUTS, RENEWED
from reconciler.project.handed_drafts import DRAFTS
from reconciler.records import BLOCKED, OPEN
from reconciler.spec.files import Unreadable
from reconciler.state import lockfile
from reconciler.state.paths import LOCK_FILE
from reconciler.state.wants import Wants

_SHA256 = re.compile("[0-9a-f]{64}")


def old_files(session: Session, before: float, pattern: str) -> list[SharedFile]:
    """Return the files of the shared cache that were written before `before` (UTC seconds), and that nobody needs. A
    video is needed that a lock file names, here or at a git reference that matches, or that is not placed yet.

    Raises UsageError if none matches: nothing would be spared. Raises ClipformError if a lock file cannot be read.
    """
    loaded = session.workspace.load()
    named = {sha256 for entry in lines_of(session, loaded).values() for sha256 in entry.named()}
    named |= _named(session.workspace.root, pattern)
    named |= {a.sha256 for a in session.store.attempts() if a.sha256 and a.state in OPEN | BLOCKED}
    shelf, store = _shelf(session), session.store
    chosen = _old(shelf, "objects", before, named)
    chosen += _old(shelf, DRAFTS, before, _drafts_by_name(shelf, before))
    if store.is_shared:
        documents = Wants(store.sql).open_documents()
        needed = {sha256 for document in documents for sha256 in _SHA256.findall(document)}
        chosen += _old(shelf, INPUTS, min(before, session.clock.now() - 2 * RENEWED), needed)
    return chosen


def _old(shelf: Shelf, folder: str, before: float, needed: set[str]) -> list[SharedFile]:
    """Return the files of a folder that were written before a time and are not needed, oldest first."""
    listed = sorted(shelf.listing(folder).items(), key=lambda entry: entry[1][1])
    old = [(name, size) for name, (size, written) in listed if written < before and name not in needed]
    return [SharedFile(folder, name, size) for name, size in old if _SHA256.fullmatch(name)]


def _drafts_by_name(shelf: Shelf, before: float) -> set[str]:
    """Return the SHA-256 of the drafts that names since `before` lead to: to write such bytes again changes no date."""
    names = [
        name for name, (_, written) in shelf.listing(DRAFTS).items() if name.endswith(".txt") and written >= before
    ]
    return {(shelf.small(f"{DRAFTS}/{name}") or b"").decode("ascii", "replace") for name in names}


def delete_files(session: Session, chosen: list[SharedFile], before: float) -> None:
    """Delete files, and before them what leads to them: no reference is left without bytes."""
    shelf, deleted = _shelf(session), {item.sha256 for item in chosen if item.folder == "objects"}
    if any(item.folder == DRAFTS for item in chosen):
        for name, (_, written) in shelf.listing(DRAFTS).items():
            if name.endswith(".txt") and written < before:
                shelf.delete(f"{DRAFTS}/{name}")
    for rehearsal in (False, True) if deleted else ():
        for key in shelf.keys(rehearsal):
            try:
                entry = shelf.result(key, rehearsal)
            except ClipformError:
                continue  # a damaged one names nothing
            if entry is not None and entry.sha256 in deleted:
                shelf.forget(key, rehearsal)
    for item in chosen:
        shelf.delete(item.name)
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
