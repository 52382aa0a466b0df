"""Read a project at a git revision, to compare it with the present one."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from reconciler.artifacts.store import Objects
from reconciler.diagnostics import ClipformError
from reconciler.frozen import dataclass
from reconciler.plan import cuts
from reconciler.plan.changes import NO_NAMES, changes
from reconciler.plan.model import GENERATES, Action, Change, Disk, OutputFact, Plan, Step, Wanted
from reconciler.plan.moves import present_name
from reconciler.project.endpoints import ASKING
from reconciler.project.git import Revision
from reconciler.project.model import Loaded, Planned
from reconciler.project.orders import Order
from reconciler.project.past import load_past
from reconciler.project.workspace import Workspace
from reconciler.records import LockEntry
from reconciler.spec.files import Unreadable
from reconciler.state import lockfile
from reconciler.state.paths import LOCK_FILE

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
        loaded = load_past(revision, planned.loaded, draft=draft)
        locked = {} if draft else _locked(revision)
        outputs, files = _outputs(revision, loaded, planned, Path(folder))
        disk = Disk(outputs, frozenset(_available(workspace.objects(draft), locked, planned) | files.keys()))
        yield ProjectRevision(revision.name, revision.commit, revision.time, loaded, locked, disk, files)


def explained(workspace: Workspace, name: str, planned: Planned, *, draft: bool) -> Plan:
    """Return the plan with what changed since a revision, whatever state and lock file have: `apply` does the same."""
    with Revision(workspace.root, name) as revision:
        loaded = load_past(revision, planned.loaded, draft=draft)
    current, sources = planned.loaded.by_ident, former_names(loaded, planned)
    held = {(order.clip.name, order.wanted.key): order for order in loaded.orders}
    names = {order.wanted.key: order.wanted.name for order in (*loaded.orders, *planned.loaded.orders)}
    films = {w.clip: w for w in planned.loaded.cuts}
    former_films = {w.clip: w for w in loaded.cuts}
    pending = {step.key for step in planned.plan.steps if step.action in ASKING}

    def explain(step: Step) -> Step:
        if step.clip in films and step.document:
            return _explained_film(step, former_films.get(step.clip), films[step.clip], name)
        new = current.get(step.ident)
        if new is None or new.wanted.key != step.key:  # a file or a request that no clip wants
            return step
        source = sources.get(step.clip, "")
        old = held.get((source, step.key)) or loaded.by_ident.get((source, step.take))
        differing = differences(old, new, names, pending) if old else ()
        note = f"changed since {name}" if differing else f"as at {name}" if old else f"not in {name}"
        if old is not None and old.clip.name != step.clip:
            note = f"renamed from {old.clip.name}"
        elif (step.action in GENERATES) is bool(differing):  # its changes say it, or nothing happens
            note = ""
        return replace(step, changes=differing, detail="; ".join(filter(None, (step.detail, note))))

    return replace(planned.plan, steps=tuple(map(explain, planned.plan.steps)))


def _explained_film(step: Step, old: Wanted | None, new: Wanted, name: str) -> Step:
    """Return the step of a film with what changed since a revision."""
    differing = film_differences(old, new) if old else ()
    note = f"changed since {name}" if differing else f"as at {name}" if old else f"not in {name}"
    if old is not None and (step.action is Action.ASSEMBLE) is bool(differing):
        note = ""
    return replace(step, changes=differing, detail="; ".join(filter(None, (step.detail, note))))


def film_differences(old: Wanted, new: Wanted) -> tuple[Change, ...]:
    """Return what changed of a film since a revision; a piece changes with the clip that it shows."""
    return (*_moved(old, new), *cuts.changes(old.document, new.document))


def former_names(former: Loaded, planned: Planned) -> dict[str, str]:
    """Return the name at a revision of each clip that it had: of one that has no such video any more and had a key of
    the clip, or the same bytes, else the same name."""
    contents = {key: line.sha256 for key, line in planned.locked.items()}
    contents |= {key: generation.sha256 for key, generation in planned.snapshot.generations.items()}

    def videos(loaded: Loaded) -> list[tuple[str, str]]:
        return [(o.clip.name, contents.get(o.wanted.key, o.wanted.key)) for o in loaded.orders]

    had, has = videos(former), videos(planned.loaded)
    unchanged = set(had) & set(has)
    same = {name for name, _ in unchanged}
    lost = {video: name for name, video in had if (name, video) not in unchanged}
    renamed = {name: lost[video] for name, video in reversed(has) if name not in same and video in lost}
    declared = {name for name, _ in had}
    present = {present_name(name, planned.loaded.project.moved): name for name in declared}
    moved = {name: present[name] for name, _ in has if name in present and name not in declared}
    return {name: name for name, _ in has if name in declared} | moved | renamed


def differences(
    old: Order, new: Order, names: Mapping[str, str] = NO_NAMES, pending: Collection[str] = ()
) -> tuple[Change, ...]:
    """Return what changed of a take since a revision: its name, its output, its clip's pick, and its document."""
    pick = Change("pick", old.clip.spec.pick, new.clip.spec.pick)
    picked = (pick,) if pick.before != pick.after and new.take == new.clip.spec.pick else ()
    return (
        *_moved(old.wanted, new.wanted),
        *picked,
        *changes(old.wanted.document, new.wanted.document, names, pending),
    )


def _moved(old: Wanted, new: Wanted) -> Iterator[Change]:
    """Yield where else the picked take of a clip is placed, and its other name."""
    if old.clip != new.clip:
        yield Change("name", old.clip, new.clip)
    if old.output and new.output and old.output != new.output:
        yield Change("output", old.output, new.output)


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
    """Return what git has at the outputs of changed clips and films, and the extracted files by SHA-256."""
    facts: dict[str, OutputFact] = {}
    files: dict[str, Path] = {}
    now = {w.clip: w.key for w in planned.loaded.cuts}
    films = (w.output for w in loaded.cuts if w.output is not None and now.get(w.clip) != w.key)
    outputs = [*(order.clip.spec.output for order in changed(loaded, planned)), *films]
    for output in outputs[:_MOST_EXTRACTED]:
        extracted = revision.extract(output, folder)
        if extracted is not None:
            sha256, path = extracted
            facts[output] = OutputFact(True, sha256)
            files[sha256] = path
    return facts, files


def _available(objects: Objects, locked: Mapping[str, LockEntry], planned: Planned) -> set[str]:
    placed = {fact.sha256 for fact in planned.disk.outputs.values() if fact.sha256}
    stored = {entry.sha256 for entry in locked.values() if objects.has(entry.sha256, entry.suffix)}
    return stored | placed | planned.disk.objects
