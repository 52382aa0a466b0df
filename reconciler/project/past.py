"""Load the clips of a project as they were at a git revision."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from reconciler.diagnostics import ClipformError, Severity, SpecError
from reconciler.plan import cuts
from reconciler.project.git import Revision
from reconciler.project.model import Loaded
from reconciler.project.orders import Beyond, build_orders, drafted_clip
from reconciler.project.resolve_clips import dialects_of, resolve_clips
from reconciler.project.seams import NO_SEAMS, seams_of
from reconciler.records import LockEntry
from reconciler.spec.files import PROJECT_FILE, Unreadable
from reconciler.spec.load import read_project
from reconciler.spec.project import Project, ProjectOverlay
from reconciler.state import lockfile
from reconciler.state.paths import DRAFTS, LOCK_FILE

_UNKNOWN: Final = "0" * 64
"""The SHA-256 for an input that the revision lacks: no record has a key that is made with it."""


def load_past(revision: Revision, current: Loaded, *, draft: bool) -> Loaded:
    """Return a revision's clips with their keys; no clips if it has no project. Raises ClipformError."""
    try:
        project = _project(revision, current.project.overlay)
        project = replace(project, clips=tuple(map(drafted_clip, project.clips))) if draft else project
        dialects, problems = dialects_of(project)
        resolved, mismatches = resolve_clips(project, dialects)
        errors = [problem for problem in (*problems, *mismatches) if problem.severity is Severity.ERROR]
        if errors:
            raise SpecError(errors)
    except SpecError as error:
        first = next(problem for problem in error.diagnostics if problem.severity is Severity.ERROR)
        text = f"{first.source}: {first.message}" if first.source else first.message
        message = f"the project at '{revision.name}' has errors, so nothing can be compared with it: {text}"
        raise ClipformError(message, code="revision-spec") from error
    hashes = _hashes(revision, project, current)
    seams = NO_SEAMS if draft else seams_of(project, (), partial(_lines, revision))
    orders = build_orders(project, resolved, hashes, beyond=Beyond(seams=seams))
    films = cuts.wanted(project.cuts, (order.wanted for order in orders), hashes, f"{DRAFTS}/" if draft else "")
    return Loaded(project, orders, dialects, (), cuts=films)


def clips_changed_since(root: Path, name: str, current: Loaded, *, draft: bool) -> frozenset[str]:
    """Return the clips and films that have a take with another key than at a revision, or that it did not have."""
    with Revision(root, name) as revision:
        former = {(w.clip, w.take): w.key for w in load_past(revision, current, draft=draft).wanted}
    return frozenset(w.clip for w in current.wanted if former.get((w.clip, w.take)) != w.key)


def _lines(revision: Revision) -> tuple[LockEntry, ...]:
    try:
        text = revision.read(LOCK_FILE).decode("utf-8", "replace")
    except Unreadable:
        return ()
    return lockfile.loads(text, f"{revision.name}:{LOCK_FILE}")


def _project(revision: Revision, overlay: ProjectOverlay) -> Project:
    try:
        revision.read(PROJECT_FILE)
    except Unreadable:
        return Project(PROJECT_FILE, (), {})
    return read_project(revision, replace(overlay, strict=False))


def _hashes(revision: Revision, project: Project, current: Loaded) -> dict[str, str]:
    """Return the SHA-256 of each local input then; a file that git lacks has its present content."""
    present = {path: sha for sha, path in current.cut_files.items()}
    present |= {path: sha for order in current.orders for path, sha in order.hashes.items()}
    return {path: revision.sha256(path) or present.get(path, _UNKNOWN) for path in sorted({*project.inputs()})}
