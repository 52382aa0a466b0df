"""Save a plan to a file and check it before it runs: exact, single-use, refused once stale.

The file has the selection and the fingerprint of the plan that was shown. `apply` plans again from the present files,
records and disk; if the fingerprint, the store or its sequence differ, the saved plan is stale. So apply only runs
steps that it computed itself, never steps from a file that somebody may have edited.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from reconciler.diagnostics import ClipformError, Refused, UsageError
from reconciler.frozen import dataclass
from reconciler.identity import canonical
from reconciler.next_command import command
from reconciler.plan.model import Action, Plan, Step
from reconciler.plan.subset import subset
from reconciler.project.endpoints import ASKING
from reconciler.project.model import Choice, Planned
from reconciler.spec.project import ProjectOverlay

VERSION = 1
_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """The content of a plan file. `id` is unique; a store remembers the IDs of the plans that it applied. `store` is
    empty for a plan that was made where there was no state yet."""

    id: str
    choice: Choice
    store: str
    sequence: int
    fingerprint: str
    overlay: ProjectOverlay = ProjectOverlay()


def fingerprint(plan: Plan) -> str:
    """Return the SHA-256 of all that the steps do and of where they send keys. Times and texts do not count."""
    effects = [[_effect(step) for step in plan.steps], _destinations(plan)]
    return hashlib.sha256(canonical(effects).encode()).hexdigest()


def subset_fingerprint(plan: Plan, clips: Collection[str] | None) -> str:
    """Return the fingerprint of the steps for these clips (None: all); it ignores changes elsewhere in the plan."""
    part = plan if clips is None else subset(plan, clips)
    return fingerprint(replace(part, steps=part.changes()))


def review_digest(plan: Plan) -> str:
    """Return a short digest of a plan that people compare by eye; a fresh clone, where a move is a restore, gives the
    same one."""
    names = {action: action.value for action in Action} | {Action.MOVE: Action.RESTORE.value}
    effects = [[s.clip, s.take, names[s.action], s.key, s.output, str(s.cost.amount)] for s in plan.changes()]
    return hashlib.sha256(canonical(effects).encode()).hexdigest()[:12]


def _effect(s: Step) -> list[object]:
    """Return all that decides what a step does. The reason counts: it decides which files are removed or replaced."""
    subject = [s.clip, s.take, str(s.action), str(s.reason), s.key, s.provider, s.model]
    tier = [s.tier] if s.tier else []  # plans of before had none
    return [*subject, s.output, s.previous_output, s.sha256, str(s.cost.amount), s.cost.currency, *tier]


def _destinations(plan: Plan) -> list[list[str]]:
    """Return where these steps send keys. A generation may also use the project's store."""
    asked = {step.provider for step in plan.steps if step.action in ASKING} | ({""} if plan.generating() else set())
    return [[alias, digest] for alias, digest in plan.places if alias in asked]


def of(ident: str, choice: Choice, planned: Planned) -> SavedPlan:
    """Return a plan as a file holds it."""
    records, overlay = planned.snapshot, planned.loaded.project.overlay
    return SavedPlan(ident, choice, records.store, records.sequence, fingerprint(planned.plan), overlay)


def save(path: Path, saved: SavedPlan) -> None:
    """Write a plan file atomically."""
    from reconciler.state import disk

    text = json.dumps({"clipform_plan": VERSION, **asdict(saved)}, indent=1) + "\n"
    with disk.translated(f"write {path.name}"):
        disk.replace(path, text.encode())


def read(path: Path) -> SavedPlan:
    """Read a plan file. Raises ClipformError for anything else."""
    try:
        if path.stat().st_size > _LIMIT:
            raise ValueError("the file is too large")
        return parse(path.read_bytes(), path.name)
    except OSError as error:
        raise ClipformError(f"{path.name} cannot be read: {error.strerror}", code="plan-file") from error
    except ValueError as error:
        raise _no_plan(path.name) from error


def parse(data: bytes, name: str) -> SavedPlan:
    """Return the plan that a file's bytes hold. Raises ClipformError for anything else."""
    try:
        values = json.loads(data)
        if values.pop("clipform_plan") != VERSION:
            raise ValueError("another version of the format")
        overlay = _overlay(**values.pop("overlay", {}))
        saved = SavedPlan(choice=_choice(values.pop("choice")), overlay=overlay, **values)
        if not _well_formed(saved):
            raise ValueError("a field has another type")
        return saved
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _no_plan(name) from error


def _no_plan(name: str) -> ClipformError:
    message = f"{name} is not a plan file of this clipform version"
    return ClipformError(message, help=command("plan", "--out", "my.plan"), code="plan-file")


def require_free(path: Path) -> None:
    """Raise UsageError if a file that is not a plan would be overwritten."""
    try:
        if path.is_file() and path.stat().st_size:
            read(path)
    except ClipformError as error:
        raise UsageError(f"{path.name} already exists and is not a plan file", help="choose another name") from error


def require_fresh(saved: SavedPlan, planned: Planned) -> None:
    """Raise Refused if anything changed since the plan was saved."""
    state = (planned.snapshot.store, planned.snapshot.sequence) if saved.store else ("", saved.sequence)
    if (saved.store, saved.sequence, saved.fingerprint) != (*state, fingerprint(planned.plan)):
        help = f"{command('plan', '--out', 'FILE')} makes a new one"
        raise Refused("this plan is stale: specs, state or files changed since it was saved", help=help, code="stale")


def _well_formed(saved: SavedPlan) -> bool:
    texts = (saved.id, saved.store, saved.fingerprint)
    return all(isinstance(text, str) and text.isascii() for text in texts) and type(saved.sequence) is int


def _overlay(vars: list[list[str]] | None = None, environment: str = "", strict: bool = True) -> ProjectOverlay:
    return ProjectOverlay(
        tuple((str(name), str(value)) for name, value in vars or ()), str(environment), strict is True
    )


def _choice(values: dict[str, Any]) -> Choice:
    clips, exclude, force = (tuple(str(item) for item in values[name]) for name in ("clips", "exclude", "force"))
    draft, refresh = bool(values["draft"]), bool(values["refresh"])
    return Choice(clips, exclude, force, draft, refresh, shows=bool(values.get("shows")))  # absent in older files
