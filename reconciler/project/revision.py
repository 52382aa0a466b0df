"""A project as it was: what a report shows beside what is now. Reads only."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from reconciler.artifacts.store import Objects
from reconciler.diagnostics import ClipformError, Diagnostic, Severity, SpecError
from reconciler.plan.changes import changes
from reconciler.plan.model import GENERATES, Disk, OutputFact, Plan, Step
from reconciler.project.git import Revision
from reconciler.project.model import Loaded, Planned
from reconciler.project.orders import Order, build_orders, drafted
from reconciler.project.workspace import LOCK_FILE, Workspace, dialects_of, resolve_clips
from reconciler.spec.files import PROJECT_FILE, Unreadable
from reconciler.spec.load import read_project
from reconciler.spec.project import Project
from reconciler.spec.values import LocalMedia
from reconciler.state import lockfile
from reconciler.state.lockfile import LockEntry

Orders = Mapping[tuple[str, int], Order]

_UNKNOWN: Final = "0" * 64
"""Stands for the content of an input that the revision does not have: no key made with it is known anywhere."""

_MOST_EXTRACTED: Final = 500


@dataclass(frozen=True, slots=True)
class ProjectRevision:
    """A revision of the project. `disk`: what lay at outputs then, and which artifacts are at hand now; `files`: where
    those are that only git has, by SHA-256."""

    label: str
    commit: str
    time: int
    loaded: Loaded
    locked: Mapping[str, LockEntry]
    disk: Disk
    files: Mapping[str, Path]


@contextmanager
def read_revision(workspace: Workspace, name: str, planned: Planned, *, draft: bool) -> Iterator[ProjectRevision]:
    """The project at a revision, while the block lasts. Raises UsageError, ClipformError."""
    with Revision(workspace.root, name) as revision, tempfile.TemporaryDirectory(prefix="clipform-") as folder:
        loaded = _load(workspace, revision, planned, draft)
        locked = {} if draft else _locked(revision)
        outputs, files = _outputs(revision, loaded, planned, Path(folder))
        at_hand = _at_hand(workspace.objects(draft), locked, planned) | files.keys()
        found = Disk(outputs, frozenset(at_hand))
        yield ProjectRevision(revision.name, revision.commit, revision.time, loaded, locked, found, files)


def explained(workspace: Workspace, name: str, planned: Planned, *, draft: bool) -> Plan:
    """The plan with what changed since a revision, field by field, where neither state nor lock file know that."""
    with Revision(workspace.root, name) as revision:
        loaded = _load(workspace, revision, planned, draft)
    steps = tuple(_explained(step, loaded.by_ident, planned.loaded.by_ident) for step in planned.plan.steps)
    return replace(planned.plan, steps=steps)


def _explained(step: Step, then: Orders, now: Orders) -> Step:
    """Told only of what a clip had under its very previous key, or of one whose previous key nobody knows."""
    before, after = then.get(step.ident), now.get(step.ident)
    if step.changes or step.action not in GENERATES or before is None or after is None:
        return step
    if step.previous_key not in (None, before.wanted.key):
        return step
    return replace(step, changes=changes(before.wanted.document, after.wanted.document))


def _load(workspace: Workspace, revision: Revision, planned: Planned, draft: bool) -> Loaded:
    """Its clips with their keys; none where there was no project yet."""
    try:
        project = _project(workspace, revision)
        project = drafted(project) if draft else project
        dialects, problems = dialects_of(project)
        resolved, found = resolve_clips(project, dialects)
        errors = [problem for problem in (*problems, *found) if problem.severity is Severity.ERROR]
        if errors:
            raise SpecError(errors)
    except SpecError as error:
        raise ClipformError(_told(error.diagnostics, revision.name), code="revision-spec") from error
    return Loaded(project, build_orders(project, resolved, _hashes(revision, project, planned)), dialects, ())


def _project(workspace: Workspace, revision: Revision) -> Project:
    try:
        revision.read(PROJECT_FILE)
    except Unreadable:
        return Project(PROJECT_FILE, (), {})
    return read_project(revision, env=workspace.env)


def _told(problems: tuple[Diagnostic, ...], name: str) -> str:
    first = next(problem for problem in problems if problem.severity is Severity.ERROR)
    place = f"{first.source}: " if first.source else ""
    return f"the project as of '{name}' is not sound, so nothing can be compared with it: {place}{first.message}"


def _hashes(revision: Revision, project: Project, planned: Planned) -> dict[str, str]:
    """Each local input's content then. One that git never had is taken as it is now: it has no other version."""
    now = {path: sha for order in planned.loaded.orders for path, sha in order.hashes.items()}
    inputs = {item.path for clip in project.clips for _, item in clip.media() if isinstance(item, LocalMedia)}
    return {path: revision.sha256(path) or now.get(path, _UNKNOWN) for path in sorted(inputs)}


def _locked(revision: Revision) -> dict[str, LockEntry]:
    """The lock file of that revision; none where it cannot be read, for it only adds pictures."""
    try:
        text = revision.read(LOCK_FILE).decode("utf-8", "replace")
        return {entry.key: entry for entry in lockfile.loads(text)}
    except (Unreadable, ClipformError):
        return {}


def changed(loaded: Loaded, planned: Planned) -> tuple[Order, ...]:
    """The picked takes of a revision whose key is another one now, or that are not declared any more."""
    now = {o.clip.name: o.wanted.key for o in planned.loaded.orders if o.take == o.clip.spec.pick}
    picked = (order for order in loaded.orders if order.take == order.clip.spec.pick)
    return tuple(order for order in picked if now.get(order.clip.name) != order.wanted.key)


def _outputs(
    revision: Revision, loaded: Loaded, planned: Planned, folder: Path
) -> tuple[dict[str, OutputFact], dict[str, Path]]:
    """What git has at the outputs of clips that changed: where renders are in git, the old one is shown."""
    facts: dict[str, OutputFact] = {}
    files: dict[str, Path] = {}
    for order in changed(loaded, planned)[:_MOST_EXTRACTED]:
        found = revision.extract(order.clip.spec.output, folder)
        if found is not None:
            facts[order.clip.spec.output] = OutputFact(True, found[0])
            files[found[0]] = found[1]
    return facts, files


def _at_hand(objects: Objects, locked: Mapping[str, LockEntry], planned: Planned) -> set[str]:
    placed = {fact.sha256 for fact in planned.disk.outputs.values() if fact.sha256}
    stored = {entry.sha256 for entry in locked.values() if objects.has(entry.sha256, entry.suffix)}
    return stored | placed | planned.disk.objects


def as_planned(found: ProjectRevision, planned: Planned) -> Planned:
    """What is known of the revision in the form that a gallery is made from; its plan is for the view to say."""
    return replace(planned, loaded=found.loaded, disk=found.disk, locked={**planned.locked, **found.locked})
