"""Every fault that the emulator can commit, and the file that asks for them.

A faults file is YAML or JSON with one list; the first rule that fires decides:

    faults:
      - {when: {dialect: jiekou, phase: submit, nth: 2}, do: drop, accepted: true}
      - {when: {phase: poll, every: 3}, do: status, status: 503}
      - {when: {phase: download, rate: 0.1, seed: 7}, do: cut, length: false}
      - {when: {phase: submit, model: "*-md", nth: [1, 4]}, do: stuck}

`when` narrows by `dialect`, `phase` (required) and `model` (a glob), then picks among the requests that are left: the
`nth` (from 1; one or a list), each `every`-th, or a `rate` (0 to 1, drawn from `seed`); none of these picks all.
`per_task: true` counts for each task by itself.

**A rule on `submit` whose action belongs to a later phase sticks to the task** that the submit creates: `stuck` above
means that this task never ends, and `cut` that each download of it is cut.

`ACTIONS` below is the table of all actions. Numbers are those of the fault catalogue that the project is tested by:
C (submit) F28–F44, D (poll) F45–F55, E (download) F56–F67.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from reconciler.diagnostics import ClipformError
from reconciler.emulator.wire import Phase

_STRICT: Final = ConfigDict(extra="forbid")

_API: Final = frozenset({Phase.SUBMIT, Phase.POLL, Phase.LIST, Phase.CANCEL, Phase.UPLOAD, Phase.TOKEN, Phase.BALANCE})
_ANY: Final = _API | {Phase.DOWNLOAD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Refuse with a code of the vendor's, in its envelope (`status` where the code's usual one will not do)."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["refuse"] = "refuse"
    code: str
    message: str = "refused by a fault rule"
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """The vendor's rate-limit answer. `retry_after` is sent as it is: `8`, `-1`, `1e309`, a date; `date+30` is the
    HTTP date of 30 s from now; `in_body` puts it into the body as `retry_after` instead of the header."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["busy"] = "busy"
    retry_after: str | None = None
    in_body: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Answer a bare HTTP status; `accepted` when the request was carried out all the same."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["status"] = "status"
    status: int
    accepted: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Close the connection without an answer, before or after the request was carried out."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["drop"] = "drop"
    accepted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Garble:
    """Carry the request out and answer 200 with something else than the vendor's JSON."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["garble"] = "garble"
    how: Literal["html", "truncated", "empty", "deep", "nan", "list", "latin1"] = "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadId:
    """Accept the task and answer with a bad id; `duplicate` is the id of the task before."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["id"] = "id"
    how: Literal["missing", "number", "list", "huge", "surrogate", "escape", "duplicate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdAndError:
    """Accept the task and answer with its id and an error code of the vendor's beside it."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["id_and_error"] = "id_and_error"
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Send the client elsewhere."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["redirect"] = "redirect"
    to: str
    status: Literal[301, 302, 303, 307, 308] = 302


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfound:
    """The vendor does not know the task (any more)."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["not_found"] = "not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A status word that nobody knows; also null or a number."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["word"] = "word"
    word: str | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backwards:
    """Queued, whatever was said before."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["backwards"] = "backwards"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """Running for ever."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["stuck"] = "stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """The task fails when its time has come, with a code and text; without a code as moderation, in the vendor's
    words."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["fail"] = "fail"
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoLink:
    """Success without a link."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["no_link"] = "no_link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Success with this as its link: a bare storage key, `file:`, `http://169.254.169.254/`, user:password@…"""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["link"] = "link"
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherTask:
    """An answer about another task's id."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["other_task"] = "other_task"


@dataclass(frozen=True, slots=True, kw_only=True)
class Omit:
    """A list that does not have the newest `newest` tasks yet; without it, none at all."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["omit"] = "omit"
    newest: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongClip:
    """Another clip than was asked for (and paid)."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["wrong_clip"] = "wrong_clip"
    duration: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    audio: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """403, as storage answers for a link that is past its time."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["expired"] = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """404: the link was told before the file is there."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["absent"] = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The connection ends after so much of the file; `length: false` leaves no sign of it in the headers."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["cut"] = "cut"
    length: bool = True
    percent: Annotated[int, Field(ge=0, le=99)] = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """200 with a page of HTML, or with nothing at all, called video/mp4."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["page"] = "page"
    empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Endless:
    """A body that never ends."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["endless"] = "endless"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """One byte every so many seconds."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["slow"] = "slow"
    every: Annotated[float, Field(gt=0)] = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bomb:
    """A small gzip body that unpacks to `megabytes`, sent whether the client takes gzip or not."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["bomb"] = "bomb"
    megabytes: Annotated[int, Field(ge=1, le=4096)] = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRange:
    """A range request is answered with the whole file, from a wrong offset, too short, or as another object."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    do: Literal["bad_range"] = "bad_range"
    how: Literal["ignored", "offset", "short", "changed"] = "ignored"


PollAction = Unfound | Word | Backwards | Stuck | Fail | NoLink | Link | OtherTask
FileAction = Expired | Absent | Cut | Page | Endless | Slow | Bomb | BadRange
AnyAction = Refuse | Busy | Status | Drop | Garble | BadId | IdAndError | Redirect
Action = AnyAction | PollAction | FileAction | WrongClip | Omit


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: the phases in which an action makes sense, and the catalogue's faults it stands for."""

    action: type[Action]
    phases: frozenset[Phase]
    faults: str


def _at(*phases: Phase) -> frozenset[Phase]:
    return frozenset(phases)


_POLLS: Final = _at(Phase.SUBMIT, Phase.POLL, Phase.LIST)
_FILES: Final = _at(Phase.SUBMIT, Phase.DOWNLOAD)

ACTIONS: Final[Mapping[str, Row]] = {
    "refuse": Row(Refuse, _API, "F34 F39 F40 F53"),
    "busy": Row(Busy, _API, "F31"),
    "status": Row(Status, _ANY, "F32 F33 F45 F56"),
    "drop": Row(Drop, _ANY, "F29 F30"),
    "garble": Row(Garble, _API, "F35 F45"),
    "id": Row(BadId, _at(Phase.SUBMIT), "F36"),
    "id_and_error": Row(IdAndError, _at(Phase.SUBMIT), "F37"),
    "redirect": Row(Redirect, _ANY, "F38 F64"),
    "not_found": Row(Unfound, _POLLS, "F46 F47"),
    "word": Row(Word, _POLLS, "F48"),
    "backwards": Row(Backwards, _POLLS, "F49"),
    "stuck": Row(Stuck, _POLLS, "F50"),
    "fail": Row(Fail, _POLLS, "F40 F53"),
    "no_link": Row(NoLink, _POLLS, "F51"),
    "link": Row(Link, _POLLS, "F51 F64"),
    "other_task": Row(OtherTask, _POLLS, "F52"),
    "omit": Row(Omit, _at(Phase.LIST), "F41"),
    "wrong_clip": Row(WrongClip, _at(Phase.SUBMIT), "F67"),
    "expired": Row(Expired, _FILES, "F56"),
    "absent": Row(Absent, _FILES, "F51 F56"),
    "cut": Row(Cut, _FILES, "F57 F58"),
    "page": Row(Page, _FILES, "F60"),
    "endless": Row(Endless, _FILES, "F62"),
    "slow": Row(Slow, _FILES, "F63"),
    "bomb": Row(Bomb, _FILES, "F62"),
    "bad_range": Row(BadRange, _FILES, "F59"),
}
"""Every action by its name in a faults file; what each does stands in the class it names."""

Sticky = PollAction | FileAction | WrongClip
"""What stays with a task when a rule on its submit asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Which requests a rule is about."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
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
