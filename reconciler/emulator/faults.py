"""The faults that the emulator can produce, as one table: `ACTIONS`.

An action's class documents its effect and holds its parameters; its row lists its phases. `rulebook` describes the file
that requests them. Numbers are those of docs/design/never-pay-twice.md: submit F28-F44, poll F45-F55, download F56-F67.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from pydantic import ConfigDict, Field

from reconciler.frozen import dataclass


class Phase(StrEnum):
    """The type of a request; a fault rule applies to one of them."""

    SUBMIT = "submit"
    POLL = "poll"
    LIST = "list"
    CANCEL = "cancel"
    DOWNLOAD = "download"
    UPLOAD = "upload"
    TOKEN = "token"
    BALANCE = "balance"


_API: Final = frozenset({Phase.SUBMIT, Phase.POLL, Phase.LIST, Phase.CANCEL, Phase.UPLOAD, Phase.TOKEN, Phase.BALANCE})
_ANY: Final = _API | {Phase.DOWNLOAD}


class Strict:
    """Part of the faults file: other keys than its fields are errors."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Strict):
    """Refuse with one of the vendor's codes, in its envelope; `status` replaces the code's usual status."""

    do: Literal["refuse"] = "refuse"
    code: str
    message: str = "refused by a fault rule"
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy(Strict):
    """The vendor's rate-limit answer. `retry_after` is sent unchanged: `8`, `-1`, `1e309`, a date; `date+30` is the
    HTTP date 30 s from now; `in_body` puts it into the body as `retry_after` instead of the header."""

    do: Literal["busy"] = "busy"
    retry_after: str | None = None
    in_body: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(Strict):
    """Answer a bare HTTP status; with `accepted` the request is carried out first."""

    do: Literal["status"] = "status"
    status: int
    accepted: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop(Strict):
    """Close the connection without an answer; with `accepted` the request is carried out first."""

    do: Literal["drop"] = "drop"
    accepted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Garble(Strict):
    """Carry out the request and answer 200 with something other than the vendor's JSON."""

    do: Literal["garble"] = "garble"
    how: Literal["html", "truncated", "empty", "deep", "nan", "list", "latin1"] = "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class BadId(Strict):
    """Accept the task and answer with a bad id; `duplicate` is the id of the previous task."""

    do: Literal["id"] = "id"
    how: Literal["missing", "number", "list", "huge", "surrogate", "escape", "duplicate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdAndError(Strict):
    """Accept the task and answer with its id and one of the vendor's error codes."""

    do: Literal["id_and_error"] = "id_and_error"
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect(Strict):
    """Redirect the client to `to`."""

    do: Literal["redirect"] = "redirect"
    to: str
    status: Literal[301, 302, 303, 307, 308] = 302


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfound(Strict):
    """Answer that the task is unknown."""

    do: Literal["not_found"] = "not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word(Strict):
    """Answer with this status word; also null or a number."""

    do: Literal["word"] = "word"
    word: str | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backwards(Strict):
    """Answer queued, whatever earlier answers were."""

    do: Literal["backwards"] = "backwards"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck(Strict):
    """Answer running for ever."""

    do: Literal["stuck"] = "stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail(Strict):
    """Fail the task at its end, with a code and text; without a code as moderation, in the vendor's words."""

    do: Literal["fail"] = "fail"
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoLink(Strict):
    """Answer success without a link."""

    do: Literal["no_link"] = "no_link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Strict):
    """Answer success with this link: a bare storage key, `file:`, `http://169.254.169.254/`, user:password@…"""

    do: Literal["link"] = "link"
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherTask(Strict):
    """Answer with another task's id."""

    do: Literal["other_task"] = "other_task"


@dataclass(frozen=True, slots=True, kw_only=True)
class Omit(Strict):
    """Omit the `newest` newest tasks from the list; without `newest`, all tasks."""

    do: Literal["omit"] = "omit"
    newest: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongClip(Strict):
    """Render another clip than the request (and its price) describes."""

    do: Literal["wrong_clip"] = "wrong_clip"
    duration: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    audio: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSeed(Strict):
    """Ignore the seed of the request, and report one of the vendor's choosing."""

    do: Literal["own_seed"] = "own_seed"


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreFrames(Strict):
    """Ignore the frames of the request: the task shows none (`chanjing`)."""

    do: Literal["ignore_frames"] = "ignore_frames"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore(Strict):
    """Ignore a field of the request, and report the vendor's default for it (ark and 3hei)."""

    do: Literal["ignore"] = "ignore"
    field: Literal["seed", "execution_expires_after", "service_tier"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Strict):
    """Report this value for a field of the task, or with null leave the field out (ark and 3hei)."""

    do: Literal["report"] = "report"
    field: str
    value: str | int | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent(Strict):
    """Report nothing of the request while the task is queued or running (ark and 3hei)."""

    do: Literal["silent"] = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired(Strict):
    """Answer 403, as storage does for an expired link."""

    do: Literal["expired"] = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent(Strict):
    """Answer 404, as if the file were not there yet."""

    do: Literal["absent"] = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Strict):
    """Close the connection after `percent` of the file; with `length: false` the headers state no length."""

    do: Literal["cut"] = "cut"
    length: bool = True
    percent: Annotated[int, Field(ge=0, le=99)] = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Strict):
    """Answer 200 with a page of HTML, or with an empty body, as video/mp4."""

    do: Literal["page"] = "page"
    empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Endless(Strict):
    """Send a body that never ends."""

    do: Literal["endless"] = "endless"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow(Strict):
    """Send one byte every `every` seconds."""

    do: Literal["slow"] = "slow"
    every: Annotated[float, Field(gt=0)] = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bomb(Strict):
    """Send a small gzip body that unpacks to `megabytes`, whether or not the client accepts gzip."""

    do: Literal["bomb"] = "bomb"
    megabytes: Annotated[int, Field(ge=1, le=4096)] = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRange(Strict):
    """Answer a range request with the whole file, from a wrong offset, too short, or from another object."""

    do: Literal["bad_range"] = "bad_range"
    how: Literal["ignored", "offset", "short", "changed"] = "ignored"


Reporting = Ignore | Report | Silent
PollAction = Unfound | Word | Backwards | Stuck | Fail | NoLink | Link | OtherTask | Reporting
FileAction = Expired | Absent | Cut | Page | Endless | Slow | Bomb | BadRange
AnyAction = Refuse | Busy | Status | Drop | Garble | BadId | IdAndError | Redirect
Action = AnyAction | PollAction | FileAction | WrongClip | OwnSeed | IgnoreFrames | Omit


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
    "ignore": Row(Ignore, _POLLS, "F42"),
    "report": Row(Report, _POLLS, "F42"),
    "silent": Row(Silent, _POLLS, "F42"),
    "omit": Row(Omit, _at(Phase.LIST), "F41"),
    "wrong_clip": Row(WrongClip, _at(Phase.SUBMIT), "F67"),
    "own_seed": Row(OwnSeed, _at(Phase.SUBMIT), "F42"),
    "ignore_frames": Row(IgnoreFrames, _at(Phase.SUBMIT), "F67"),
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

Sticky = PollAction | FileAction | WrongClip | OwnSeed | IgnoreFrames
"""Actions that apply to a task for its lifetime if a rule on its submit has them."""
