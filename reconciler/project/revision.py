"""Read a project at a git revision, to compare it with the present one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from reconciler.artifacts.store import Objects
from reconciler.diagnostics import ClipformError, Severity, SpecError
from reconciler.plan.changes import changes
from reconciler.plan.model import GENERATES, Disk, OutputFact, Plan, Step
from reconciler.project.endpoints import ASKING
from reconciler.project.git import Revision
from reconciler.project.model import Loaded, Planned
from reconciler.project.orders import Order, build_orders, drafted_clip
from reconciler.project.resolve_clips import dialects_of, resolve_clips
from reconciler.project.workspace import Workspace
from reconciler.records import LockEntry
from reconciler.spec.files import PROJECT_FILE, Unreadable
from reconciler.spec.load import read_project
from reconciler.spec.project import Project
from reconciler.spec.values import LocalMedia
from reconciler.state import lockfile
from reconciler.state.paths import LOCK_FILE

_UNKNOWN: Final = "0" * 64
"""The SHA-256 for an input that the revision lacks: no record has a key that is made with it."""

_MOST_EXTRACTED: Final = 500


@dataclass(frozen=True, slots=True)
class ProjectRevision:
    """A revision of the project. `disk` has the outputs of that revision and the artifacts that exist now; `files` has
    the paths of those that were extracted from git, by SHA-256."""

    label: str
    commit: str
    time: int
    loaded: Loaded
    locked: Mapping[str, LockEntry]
    disk: Disk
    files: Mapping[str, Path]


@contextmanager
def read_revision(workspace: Workspace, name: str, planned: Planned, *, draft: bool) -> Iterator[ProjectRevision]:
    """Yield the project at a revision; its files exist within the block. Raises UsageError, ClipformError."""
    with Revision(workspace.root, name) as revision, tempfile.TemporaryDirectory(prefix="clipform-") as folder:
        loaded = _load(workspace, revision, planned, draft)
        locked = {} if draft else _locked(revision)
        outputs, files = _outputs(revision, loaded, planned, Path(folder))
        disk = Disk(outputs, frozenset(_available(workspace.objects(draft), locked, planned) | files.keys()))
        yield ProjectRevision(revision.name, revision.commit, revision.time, loaded, locked, disk, files)


def explained(workspace: Workspace, name: str, planned: Planned, *, draft: bool) -> Plan:
    """Return the plan with what changed since a revision, whatever state and lock file have: `apply` does the same."""
    with Revision(workspace.root, name) as revision:
        loaded = _load(workspace, revision, planned, draft)
    former, current = loaded.by_ident, planned.loaded.by_ident
    names = {order.wanted.key: order.wanted.name for order in (*loaded.orders, *planned.loaded.orders)}
    pending = {step.key for step in planned.plan.steps if step.action in ASKING}

    def explain(step: Step) -> Step:
        old, new = former.get(step.ident), current.get(step.ident)
        if new is None or new.wanted.key != step.key:  # a file or a request that no clip wants
            return step
        differing = changes(old.wanted.document, new.wanted.document, names, pending) if old else ()
        note = f"changed since {name}" if differing else f"as at {name}" if old else f"not in {name}"
        if (step.action in GENERATES) is bool(differing):  # its changes say it, or nothing happens
            note = ""
        return replace(step, changes=differing, detail="; ".join(filter(None, (step.detail, note))))

    return replace(planned.plan, steps=tuple(map(explain, planned.plan.steps)))


def _load(workspace: Workspace, revision: Revision, planned: Planned, draft: bool) -> Loaded:
    """Load the revision's clips with their keys; no clips if it has no project."""
    try:
        project = _project(workspace, revision)
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
    return Loaded(project, build_orders(project, resolved, _hashes(revision, project, planned)), dialects, ())


def _project(workspace: Workspace, revision: Revision) -> Project:
    try:
        revision.read(PROJECT_FILE)
    except Unreadable:
        return Project(PROJECT_FILE, (), {})
    return read_project(revision)


def _hashes(revision: Revision, project: Project, planned: Planned) -> dict[str, str]:
    """Return the SHA-256 of each local input then; a file that git lacks has its present content."""
    current = {path: sha for order in planned.loaded.orders for path, sha in order.hashes.items()}
    inputs = {item.path for clip in project.clips for _, item in clip.media() if isinstance(item, LocalMedia)}
    return {path: revision.sha256(path) or current.get(path, _UNKNOWN) for path in sorted(inputs)}


def _locked(revision: Revision) -> dict[str, LockEntry]:
    """Return the revision's lock file by key; empty if it cannot be read, because it only adds videos."""
    try:
        text = revision.read(LOCK_FILE).decode("utf-8", "replace")
        return {entry.key: entry for entry in lockfile.loads(text)}
    except (Unreadable, ClipformError):
        return {}


def changed(loaded: Loaded, planned: Planned) -> tuple[Order, ...]:
    """Return the picked takes of a revision that have another key now or are no longer declared."""
    current = {o.clip.name: o.wanted.key for o in planned.loaded.orders if o.take == o.clip.spec.pick}
    picked = (order for order in loaded.orders if order.take == order.clip.spec.pick)
    return tuple(order for order in picked if current.get(order.clip.name) != order.wanted.key)


def _outputs(
    revision: Revision, loaded: Loaded, planned: Planned, folder: Path
) -> tuple[dict[str, OutputFact], dict[str, Path]]:
    """Return what git has at the outputs of changed clips, and the extracted files by SHA-256."""
    facts: dict[str, OutputFact] = {}
    files: dict[str, Path] = {}
    for order in changed(loaded, planned)[:_MOST_EXTRACTED]:
        extracted = revision.extract(order.clip.spec.output, folder)
        if extracted is not None:
            sha256, path = extracted
            facts[order.clip.spec.output] = OutputFact(True, sha256)
            files[sha256] = path
    return facts, files


def _available(objects: Objects, locked: Mapping[str, LockEntry], planned: Planned) -> set[str]:
    placed = {fact.sha256 for fact in planned.disk.outputs.values() if fact.sha256}
    stored = {entry.sha256 for entry in locked.values() if objects.has(entry.sha256, entry.suffix)}
    return stored | placed | planned.disk.objects
