"""The faults file: which requests are meant, and what is to go wrong with them.

It is YAML or JSON with one list; the first rule that fires decides:

    faults:
      - {when: {dialect: jiekou, phase: submit, nth: 2}, do: drop, accepted: true}
      - {when: {phase: poll, every: 3}, do: status, status: 503}
      - {when: {phase: download, rate: 0.1, seed: 7}, do: cut, length: false}
      - {when: {phase: submit, model: "*-md", nth: [1, 4]}, do: stuck}

`do` is an action of the table in `faults`, with its parameters beside it. `when` narrows by `dialect`, `phase`
(required) and `model` (a glob), then picks among the requests that are left: the `nth` (from 1; one or a list), each
`every`-th, or a `rate` (0 to 1, drawn from `seed`); none of these picks all. `per_task: true` counts for each task by
itself.

**A rule on `submit` whose action belongs to a later phase sticks to the task** that the submit creates: `stuck` above
means that this task never ends, and `cut` that each download of it is cut.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, ClassVar

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from reconciler.diagnostics import ClipformError
from reconciler.emulator.faults import ACTIONS, STRICT, Action
from reconciler.emulator.phase import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Which requests a rule is about."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    phase: Phase
    dialect: str | None = None
    model: str | None = None
    nth: int | tuple[int, ...] | None = None
    every: Annotated[int, Field(ge=1)] | None = None
    rate: Annotated[float, Field(ge=0, le=1)] | None = None
    seed: int = 0
    per_task: bool = False

    def about(self, kind: str, phase: Phase, model: str) -> bool:
        """Whether a request is one of those that are counted."""
        kinds = self.dialect is None or self.dialect == kind
        models = self.model is None or fnmatchcase(model, self.model)
        return phase is self.phase and kinds and models

    def picks(self, count: int, dice: random.Random) -> bool:
        """Whether the `count`-th of them is meant."""
        if self.nth is not None:
            return count in ((self.nth,) if isinstance(self.nth, int) else self.nth)
        if self.every is not None:
            return count % self.every == 0
        return self.rate is None or dice.random() < self.rate


@dataclass(slots=True)
class Rule:
    """One line of the file, and how often it was asked."""

    when: When
    action: Action
    seen: Counter[str] = field(default_factory=Counter)
    dice: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self.dice.seed(self.when.seed)

    def fires(self, task: str) -> bool:
        """Count one more request, and say whether it is hit."""
        scope = task if self.when.per_task else ""
        self.seen[scope] += 1
        return self.when.picks(self.seen[scope], self.dice)


class Faults:
    """The rules of one run. Every rule counts every request that it is about; the first that fires decides."""

    def __init__(self, rules: Sequence[tuple[When, Action]] = ()) -> None:
        self._rules = [Rule(when, action) for when, action in rules]

    def pick(self, kind: str, phase: Phase, model: str = "", task: str = "") -> Action | None:
        """What is to go wrong with this request."""
        hits = [rule for rule in self._rules if rule.when.about(kind, phase, model) and rule.fires(task)]
        return hits[0].action if hits else None


@dataclass(frozen=True, slots=True)
class _Line:
    """A rule as it stands in the file: `when` beside the action's own fields."""

    when: When
    action: Annotated[Action, Field(discriminator="do")]


def read_faults(path: Path) -> Faults:
    """The rules of a file. Raises ClipformError with everything that is wrong with it."""
    try:
        document = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise ClipformError(f"the faults file {path} cannot be read: {error.strerror}", code="faults") from error
    except yaml.YAMLError as error:
        raise ClipformError(f"the faults file {path} is not YAML: {error}", code="faults") from error
    return parse_faults(document, str(path))


def parse_faults(document: object, name: str) -> Faults:
    """The rules of a document already parsed; `name` is for the message."""
    rows = document.get("faults") if isinstance(document, dict) and document.keys() == {"faults"} else None
    if not isinstance(rows, list):
        raise ClipformError(f"{name} has no list `faults:`, or something beside it", code="faults")
    lines = [_line(row) for row in rows]
    try:
        read = TypeAdapter(list[_Line]).validate_python(lines)
    except ValidationError as error:
        found = "\n".join(f"{_place(item['loc'])}: {item['msg']}" for item in error.errors())
        raise ClipformError(f"{name}:\n{found}", help=f"actions: {', '.join(ACTIONS)}", code="faults") from error
    for number, line in enumerate(read, 1):
        if line.when.phase not in ACTIONS[line.action.do].phases:
            phases = ", ".join(sorted(ACTIONS[line.action.do].phases))
            raise ClipformError(
                f"{name}: rule {number}: {line.action.do} has no meaning on {line.when.phase}",
                help=f"it goes with {phases}",
                code="faults",
            )
    return Faults([(line.when, line.action) for line in read])


def _line(row: object) -> object:
    if not isinstance(row, dict):
        return row
    return {"when": row.get("when"), "action": {name: value for name, value in row.items() if name != "when"}}


def _place(location: tuple[int | str, ...]) -> str:
    number, *rest = location
    named = ".".join(str(part) for part in rest if part not in ACTIONS)
    return f"rule {int(number) + 1} {named.removeprefix('action.')}".rstrip()
