"""Read the faults file: rules that select requests, and the fault of each.

It is YAML or JSON with one list; the first rule that fires applies:

    faults:
      - {when: {dialect: jiekou, phase: submit, nth: 2}, do: drop, accepted: true}
      - {when: {phase: poll, every: 3}, do: status, status: 503}
      - {when: {phase: download, rate: 0.1, seed: 7}, do: cut, length: false}
      - {when: {phase: submit, model: "*-md", nth: [1, 4]}, do: stuck}

`do` is an action of the table in `faults`, with its parameters beside it. `when` filters by `dialect`, `phase`
(required) and `model` (a glob), then selects among the matching requests: the `nth` (from 1; one or a list), every
`every`-th, or a `rate` (0 to 1, drawn from `seed`); without any of these, all. `per_task: true` counts per task.

**A rule on `submit` whose action belongs to a later phase applies to the task** that the submit creates: `stuck` above
means that this task never ends, and `cut` would cut each download of it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, ValidationError

from reconciler.diagnostics import ClipformError
from reconciler.emulator.faults import ACTIONS, Action, Phase, Strict
from reconciler.frozen import dataclass
from reconciler.providers.settings import adapter


@dataclass(frozen=True, slots=True, kw_only=True)
class When(Strict):
    """The requests that a rule selects."""

    phase: Phase
    dialect: str | None = None
    model: str | None = None
    nth: int | tuple[int, ...] | None = None
    every: Annotated[int, Field(ge=1)] | None = None
    rate: Annotated[float, Field(ge=0, le=1)] | None = None
    seed: int = 0
    per_task: bool = False

    def about(self, kind: str, phase: Phase, model: str) -> bool:
        """True if the rule counts this request."""
        kinds = self.dialect is None or self.dialect == kind
        models = self.model is None or fnmatchcase(model, self.model)
        return phase is self.phase and kinds and models

    def picks(self, count: int, dice: random.Random) -> bool:
        """True if the rule selects the `count`-th counted request."""
        if self.nth is not None:
            return count in ((self.nth,) if isinstance(self.nth, int) else self.nth)
        if self.every is not None:
            return count % self.every == 0
        return self.rate is None or dice.random() < self.rate


@dataclass(slots=True)
class Rule:
    """One rule of the file, and its counts."""

    when: When
    action: Action
    seen: Counter[str] = field(default_factory=Counter)
    dice: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self.dice.seed(self.when.seed)

    def fires(self, task: str) -> bool:
        """Count a request, and return True if the rule selects it."""
        scope = task if self.when.per_task else ""
        self.seen[scope] += 1
        return self.when.picks(self.seen[scope], self.dice)


class Faults:
    """The rules of one run. Every rule counts all its requests; the first rule that fires applies."""

    def __init__(self, rules: Sequence[tuple[When, Action]] = ()) -> None:
        self._rules = [Rule(when, action) for when, action in rules]

    def pick(self, kind: str, phase: Phase, model: str = "", task: str = "") -> Action | None:
        """Count a request, and return its fault, None without one."""
        hits = [rule for rule in self._rules if rule.when.about(kind, phase, model) and rule.fires(task)]
        return hits[0].action if hits else None


@dataclass(frozen=True, slots=True)
class _Line:
    """A rule of the file, with the action's fields apart from `when`."""

    when: When
    action: Annotated[Action, Field(discriminator="do")]


def read_faults(path: Path) -> Faults:
    """Return the rules of a file. Raises ClipformError with all its errors."""
    try:
        document = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise ClipformError(f"the faults file {path} cannot be read: {error.strerror}", code="faults") from error
    except yaml.YAMLError as error:
        raise ClipformError(f"the faults file {path} is not YAML: {error}", code="faults") from error
    return parse_faults(document, str(path))


def parse_faults(document: object, name: str) -> Faults:
    """Return the rules of a parsed document; `name` is the file's name in messages. Raises ClipformError."""
    rows = document.get("faults") if isinstance(document, dict) and document.keys() == {"faults"} else None
    if not isinstance(rows, list):
        raise ClipformError(f"{name} has no list `faults:`, or has other keys", code="faults")
    lines = [_line(row) for row in rows]
    try:
        rules: list[_Line] = adapter(list[_Line]).validate_python(lines)
    except ValidationError as error:
        faults = "\n".join(f"{_location(fault['loc'])}: {fault['msg']}" for fault in error.errors())
        raise ClipformError(f"{name}:\n{faults}", help=f"actions: {', '.join(ACTIONS)}", code="faults") from error
    for number, line in enumerate(rules, 1):
        if line.when.phase not in ACTIONS[line.action.do].phases:
            phases = ", ".join(sorted(ACTIONS[line.action.do].phases))
            raise ClipformError(
                f"{name}: rule {number}: {line.action.do} cannot be used on phase {line.when.phase}",
                help=f"phases of {line.action.do}: {phases}",
                code="faults",
            )
    return Faults([(line.when, line.action) for line in rules])


def _line(row: object) -> object:
    if not isinstance(row, dict):
        return row
    return {"when": row.get("when"), "action": {name: value for name, value in row.items() if name != "when"}}


def _location(path: tuple[int | str, ...]) -> str:
    number, *steps = path
    field = ".".join(str(step) for step in steps if step not in ACTIONS)
    return f"rule {int(number) + 1} {field.removeprefix('action.')}".rstrip()
