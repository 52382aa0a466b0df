"""Golden plans: one situation a file, what is given, then what is planned. `world.py` says what may be given.

    # Why this matters.
    wanted: …
    records: …
    plan:
    - hero: replace (changed); prompt: a lamp -> a lantern
    forgets: [old]             takes that are no longer on record afterwards, when there are any
    paid: 1                    how many generations are bought

A line of a plan is the action and its reason; then, where there is one: where a moved file comes from, what the step
waits for, the fields that changed, the detail, the commands that are the way out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from reconciler.plan.model import Plan, Step
from tests.plan.world import World, paid, world

CASES = Path(__file__).parent / "cases"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_EXPECTED = ("plan", "forgets", "paid")


@dataclass(frozen=True)
class Case:
    """One situation, and the plan that it must lead to, as text."""

    path: Path
    comment: str
    given: World
    given_text: str
    expected: str

    @property
    def name(self) -> str:
        return self.path.stem

    def actual(self) -> str:
        return render(self.given.plan(), self.given)

    def update(self) -> None:
        self.path.write_text(f"{self.given_text}{self.actual()}", encoding="utf-8")


def cases() -> list[Case]:
    """All of them."""
    return [read(path) for path in sorted(CASES.glob("*.yaml"))]


def read(path: Path) -> Case:
    """One of them. The expectation stands last and begins with `plan:`."""
    text = path.read_text(encoding="utf-8")
    given_text, mark, expected = text.partition("\nplan:")
    values: dict[str, Any] = yaml.load(text, Loader=_LOADER)
    given = {name: value for name, value in values.items() if name not in _EXPECTED}
    comment = " ".join(line[1:].strip() for line in text.splitlines() if line.startswith("#"))
    return Case(path, comment, world(given), given_text.rstrip("\n") + "\n", (mark + expected).lstrip("\n"))


def render(plan: Plan, given: World) -> str:
    """The plan as it stands in a case."""
    lines = ["plan:" if plan.steps else "plan: []"]
    lines += [f"- {_name(step)}: {_scalar(described(step))}" for step in plan.steps]
    if plan.unbind:
        names = [clip if take == 1 else f"{clip}#{take}" for clip, take in plan.unbind]
        lines.append(f"forgets: [{', '.join(map(_scalar, names))}]")
    return "\n".join([*lines, f"paid: {len(paid(plan, given.wanted))}"]) + "\n"


def _name(step: Step) -> str:
    return _scalar(step.name)


def described(step: Step) -> str:
    """One step in one line."""
    return "; ".join([f"{step.action.value} ({step.reason.value})", *_more(step)])


def _more(step: Step) -> Iterator[str]:
    if step.previous_output:
        yield f"from {step.previous_output}"
    if step.needs_a_maker:
        yield f"waits for {', '.join(clip if take == 1 else f'{clip}#{take}' for clip, take in step.needs)}"
    for change in step.changes:
        yield f"{change.field}: {change.note or f'{_said(change.before)} -> {_said(change.after)}'}"
    if step.detail and step.detail != step.output:
        yield step.detail
    yield from step.way_out


def _said(value: object) -> str:
    return "(not stated)" if value is None else str(value)


def _scalar(text: str) -> str:
    """Plain where YAML reads that as the same text, else in quotes."""
    try:
        same = yaml.load(f"- a: {text}", Loader=_LOADER) == [{"a": text}] and not text.startswith(("'", '"'))
    except yaml.YAMLError:
        same = False
    return text if same else json.dumps(text, ensure_ascii=False)
