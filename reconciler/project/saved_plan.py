"""Saved plans: exact, single-use, refused once stale.

The file names what was asked for and the fingerprint of the plan that was shown. Applying plans anew from the files,
records and disk of that moment: unless the fingerprint, the store and its sequence are the same, the plan is stale. So
what runs is always computed here and now, and never data from a file that somebody may have edited.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from reconciler.diagnostics import ClipformError, Refused, UsageError
from reconciler.identity import canonical
from reconciler.plan.model import Plan, Step
from reconciler.plan.subset import subset
from reconciler.project.endpoints import ASKING
from reconciler.project.model import Choice, Planned

VERSION = 1
_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What a plan file holds. `id` is unique; a store remembers the ids that it has applied."""

    id: str
    choice: Choice
    store: str
    sequence: int
    fingerprint: str


def fingerprint(plan: Plan) -> str:
    """SHA-256 over every step as it would be carried out, and where keys are sent for it; times and prices in words do
    not count."""
    work = [[_carried_out(step) for step in plan.steps], _places(plan)]
    return hashlib.sha256(canonical(work).encode()).hexdigest()


def subset_fingerprint(plan: Plan, clips: Collection[str] | None) -> str:
    """What names all that would be done for these clips, for all of them when None. Whatever else the plan holds may
    become another one meanwhile: this stays."""
    about = plan if clips is None else subset(plan, clips)
    return fingerprint(replace(about, steps=about.changes()))


def review_digest(plan: Plan) -> str:
    """What names the work of a plan for people, who compare it by eye: the same with a state and in a fresh clone."""
    work = [[s.clip, s.take, s.action.value, s.key, s.output, str(s.cost.amount)] for s in plan.changes()]
    return hashlib.sha256(canonical(work).encode()).hexdigest()[:12]


def _carried_out(s: Step) -> list[object]:
    """The reason counts: it says whether a file is removed or left, placed over ours or over the user's."""
    what = [s.clip, s.take, s.action.value, s.reason.value, s.key, s.provider, s.model]
    return [*what, s.output, s.previous_output, s.sha256, str(s.cost.amount), s.cost.currency]


def _places(plan: Plan) -> list[list[str]]:
    """The places that these steps ask. What is made may be given files through the project's store."""
    asked = {step.provider for step in plan.steps if step.action in ASKING} | ({""} if plan.generating() else set())
    return [[alias, place] for alias, place in plan.places if alias in asked]


def save(path: Path, ident: str, choice: Choice, planned: Planned) -> None:
    """Write a plan file, whole or not at all."""
    from reconciler.state import disk

    saved = SavedPlan(ident, choice, planned.snapshot.store, planned.snapshot.sequence, fingerprint(planned.plan))
    text = json.dumps({"clipform_plan": VERSION, **asdict(saved)}, indent=1) + "\n"
    with disk.translated(f"write {path.name}"):
        disk.replace(path, text.encode())


def read(path: Path) -> SavedPlan:
    """Read a plan file. Raises ClipformError when it is none."""
    try:
        if path.stat().st_size > _LIMIT:
            raise ValueError("it is too large")
        values = json.loads(path.read_bytes())
        if values.pop("clipform_plan") != VERSION:
            raise ValueError("it is of another version")
        return SavedPlan(choice=_choice(values.pop("choice")), **values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ClipformError(f"{path.name} is not a plan of this clipform: {error}", code="plan-file") from error


def require_free(path: Path) -> None:
    """Raises UsageError where something else than a plan would be written over."""
    try:
        if path.is_file() and path.stat().st_size:
            read(path)
    except ClipformError as error:
        raise UsageError(f"{path.name} is there already, and is no plan", help="choose another name") from error


def require_fresh(saved: SavedPlan, planned: Planned) -> None:
    """Raises Refused unless nothing has changed since the plan was made."""
    now = (planned.snapshot.store, planned.snapshot.sequence, fingerprint(planned.plan))
    if (saved.store, saved.sequence, saved.fingerprint) != now:
        help = "clipform plan --out FILE makes a new one"
        raise Refused("this plan is stale: specs, state or files changed since it was made", help=help, code="stale")


def _choice(values: dict[str, Any]) -> Choice:
    lists = {name: tuple(str(item) for item in values[name]) for name in ("clips", "exclude", "force")}
    return Choice(**lists, draft=bool(values["draft"]), refresh=bool(values["refresh"]))
