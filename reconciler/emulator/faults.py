"""The faults that the emulator can produce, as one table: `ACTIONS`.

An action's class documents its effect and holds its parameters; its row lists its phases. `rulebook` describes the file
that requests them. Numbers are those of docs/design/never-pay-twice.md: submit F28-F44, poll F45-F55, download F56-F67.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

from pydantic import ConfigDict, Field

from reconciler.emulator.phase import Phase

STRICT: Final = ConfigDict(extra="forbid")

_API: Final = frozenset({Phase.SUBMIT, Phase.POLL, Phase.LIST, Phase.CANCEL, Phase.UPLOAD, Phase.TOKEN, Phase.BALANCE})
_ANY: Final = _API | {Phase.DOWNLOAD}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Refuse with one of the vendor's codes, in its envelope; `status` replaces the code's usual status."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["refuse"] = "refuse"
    code: str
    message: str = "refused by a fault rule"
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """The vendor's rate-limit answer. `retry_after` is sent unchanged: `8`, `-1`, `1e309`, a date; `date+30` is the
    HTTP date 30 s from now; `in_body` puts it into the body as `retry_after` instead of the header."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["busy"] = "busy"
    retry_after: str | None = None
    in_body: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Answer a bare HTTP status; with `accepted` the request is carried out first."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["status"] = "status"
    status: int
    accepted: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Close the connection without an answer; with `accepted` the request is carried out first."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["drop"] = "drop"
    accepted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Garble:
    """Carry out the request and answer 200 with something other than the vendor's JSON."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["garble"] = "garble"
    how: Literal["html", "truncated", "empty", "deep", "nan", "list", "latin1"] = "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadId:
    """Accept the task and answer with a bad id; `duplicate` is the id of the previous task."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["id"] = "id"
    how: Literal["missing", "number", "list", "huge", "surrogate", "escape", "duplicate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdAndError:
    """Accept the task and answer with its id and one of the vendor's error codes."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["id_and_error"] = "id_and_error"
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Redirect the client to `to`."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["redirect"] = "redirect"
    to: str
    status: Literal[301, 302, 303, 307, 308] = 302


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfound:
    """Answer that the task is unknown."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["not_found"] = "not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Answer with this status word; also null or a number."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["word"] = "word"
    word: str | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backwards:
    """Answer queued, whatever earlier answers were."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["backwards"] = "backwards"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """Answer running for ever."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["stuck"] = "stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """Fail the task at its end, with a code and text; without a code as moderation, in the vendor's words."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["fail"] = "fail"
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoLink:
    """Answer success without a link."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["no_link"] = "no_link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Answer success with this link: a bare storage key, `file:`, `http://169.254.169.254/`, user:password@…"""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["link"] = "link"
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherTask:
    """Answer with another task's id."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["other_task"] = "other_task"


@dataclass(frozen=True, slots=True, kw_only=True)
class Omit:
    """Omit the `newest` newest tasks from the list; without `newest`, all tasks."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["omit"] = "omit"
    newest: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongClip:
    """Render another clip than the request (and its price) describes."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["wrong_clip"] = "wrong_clip"
    duration: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    audio: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSeed:
    """Ignore the seed of the request, and report one of the vendor's choosing."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["own_seed"] = "own_seed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """Answer 403, as storage does for an expired link."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["expired"] = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Answer 404, as if the file were not there yet."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["absent"] = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Close the connection after `percent` of the file; with `length: false` the headers state no length."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["cut"] = "cut"
    length: bool = True
    percent: Annotated[int, Field(ge=0, le=99)] = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Answer 200 with a page of HTML, or with an empty body, as video/mp4."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["page"] = "page"
    empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Endless:
    """Send a body that never ends."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["endless"] = "endless"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """Send one byte every `every` seconds."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["slow"] = "slow"
    every: Annotated[float, Field(gt=0)] = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bomb:
    """Send a small gzip body that unpacks to `megabytes`, whether or not the client accepts gzip."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["bomb"] = "bomb"
    megabytes: Annotated[int, Field(ge=1, le=4096)] = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRange:
    """Answer a range request with the whole file, from a wrong offset, too short, or from another object."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    do: Literal["bad_range"] = "bad_range"
    how: Literal["ignored", "offset", "short", "changed"] = "ignored"


PollAction = Unfound | Word | Backwards | Stuck | Fail | NoLink | Link | OtherTask
FileAction = Expired | Absent | Cut | Page | Endless | Slow | Bomb | BadRange
AnyAction = Refuse | Busy | Status | Drop | Garble | BadId | IdAndError | Redirect
Action = AnyAction | PollAction | FileAction | WrongClip | OwnSeed | Omit


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: an action, the phases that it can be used on, and the numbers of its faults."""

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
    "own_seed": Row(OwnSeed, _at(Phase.SUBMIT), "F42"),
    "expired": Row(Expired, _FILES, "F56"),
    "absent": Row(Absent, _FILES, "F51 F56"),
    "cut": Row(Cut, _FILES, "F57 F58"),
    "page": Row(Page, _FILES, "F60"),
    "endless": Row(Endless, _FILES, "F62"),
    "slow": Row(Slow, _FILES, "F63"),
    "bomb": Row(Bomb, _FILES, "F62"),
    "bad_range": Row(BadRange, _FILES, "F59"),
}
"""Every action by its name in a faults file; its class documents the effect."""

Sticky = PollAction | FileAction | WrongClip | OwnSeed
"""Actions that apply to a task for its lifetime if a rule on its submit has them."""
