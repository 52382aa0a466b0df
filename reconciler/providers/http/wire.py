"""The settings of kind `http`: the map between our fields and a vendor's JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field, fields
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Literal

from reconciler.frozen import dataclass
from reconciler.providers.base import Job, MediaRef, Refusal
from reconciler.providers.http_dialect import stated, values
from reconciler.providers.settings import Settings, setting

if TYPE_CHECKING:
    from jmespath.parser import ParsedResult

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]

FIELDS = (
    *("model", "prompt", "duration", "resolution", "ratio", "first_frame", "last_frame", "images", "videos", "audios"),
    *("seed", "camera_fixed", "audio", "watermark", "return_last_frame", "mark"),
)
"""What a request's template may name in braces. `mark` is a number that is drawn for one request: a list that shows it
tells that request from every other."""

REFUSALS = {
    "input": Refusal.INPUT,
    "moderation": Refusal.MODERATION,
    "credentials": Refusal.CREDENTIALS,
    "account": Refusal.ACCOUNT,
    "busy": Refusal.BUSY,
}
_HOLE = re.compile(r"\{(\w+)\}")
_SPAN = re.compile(r"(\d{1,9})-(\d{1,9})")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def _mapping(help: str) -> Mapping[str, str]:
    return field(default_factory=dict, metadata={"help": help})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSettings:
    """Where a vendor lists its tasks. With it, a request whose answer was lost is looked up instead of asked about."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid"}

    path: str  # has `{page}`; pages count from 1
    tasks: str
    size: int = 100
    total: str = ""
    created: str = ""
    echo: Mapping[str, str] = field(default_factory=dict)  # our field names, each with its path in a task

    def __post_init__(self) -> None:
        if "{page}" not in self.path:
            raise ValueError("list.path needs {page} where the number of the page goes")
        for path in (self.tasks, self.total, self.created, *self.echo.values()):
            compiled(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSettings:
    """How a vendor cancels a queued task. Another answer than a success leaves the task as it is."""

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid"}

    path: str  # has `{task}`
    method: Literal["DELETE", "POST"] = "DELETE"

    def __post_init__(self) -> None:
        if "{task}" not in self.path:
            raise ValueError("cancel.path needs {task} where the task id goes")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings(Settings):
    """Settings: all that is known of the vendor. Places in replies are JMESPath expressions."""

    name: str = setting("Name of the vendor; clips made there have the identity http:NAME, so never change it.", "")
    request: Mapping[str, object] = field(
        default_factory=dict,
        metadata={"help": "Body of a submit. {prompt}, {duration} … are replaced; what a clip lacks is left out."},
    )
    headers: Mapping[str, str] = _mapping("Headers of every submit, without secrets.")
    id: str = setting("Place of the task id in the reply to a submit.", "id")
    state: str = setting("Place of the state in the reply to a poll.", "status")
    video: str = setting("Place of the link to the video, or of a list that begins with it.", "")
    last_frame: str = setting("Place of the link to the last frame.", "")
    progress: str = setting("Place of the progress in percent.", "")
    seed: str = setting("Place of the seed that was used.", "")
    error_code: str = setting("Place of the code of an error.", "error.code")
    error_message: str = setting("Place of its message.", "error.message")
    states: Mapping[str, State] = field(
        default_factory=dict,
        metadata={"help": "The vendor's words for queued, running, succeeded, failed and cancelled."},
    )
    refusals: Mapping[str, Literal["input", "moderation", "credentials", "account", "busy"]] = field(
        default_factory=dict,
        metadata={"help": "Codes, or `http 422`, that prove that nothing was accepted. Any other is asked about."},
    )
    mark_range: str = setting("The numbers that {mark} may be; at least a thousand.", "1-999999999")
    not_found: tuple[str, ...] = setting("Codes of a poll by which a task is unknown there.", ("http 404",))
    list: ListSettings | None = setting("The vendor's list of tasks.", None)
    cancel: CancelSettings | None = setting("How a queued task is cancelled.", None)

    def __post_init__(self) -> None:
        Settings.__post_init__(self)
        if not _NAME.fullmatch(self.name):
            raise ValueError("name must be the vendor's name in small letters, digits and -, such as acme")
        if not self.request:
            raise ValueError("request is missing: the body of a submit")
        if "succeeded" not in self.states.values() or not self.video:
            raise ValueError("states must have a word for succeeded, and video the place of the link")
        if wrong := sorted(set(holes(self.request)) - {*FIELDS}):
            raise ValueError(f"request has an unknown placeholder {{{wrong[0]}}}; fields: {', '.join(FIELDS)}")
        if secret := next((name for name in self.headers if name.lower() in ("authorization", "cookie")), None):
            raise ValueError(f"headers: {secret} is set by auth_header, from the environment")
        if len(self.marks) < 1000:
            raise ValueError("mark_range is a span of at least a thousand numbers, such as 1-999999999")
        for place in fields(self):
            if place.name in _PLACES:
                compiled(getattr(self, place.name))

    @property
    def marks(self) -> range:
        """The numbers that `{mark}` may be."""
        span = _SPAN.fullmatch(self.mark_range)
        return range(int(span[1]), int(span[2]) + 1) if span else range(0)


_PLACES = ("id", "state", "video", "last_frame", "progress", "seed", "error_code", "error_message")


@cache
def compiled(expression: str) -> ParsedResult | None:
    """Return a JMESPath expression, None for an empty one. Raises ValueError for a wrong one."""
    if not expression:
        return None
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.compile(expression)
    except JMESPathError as error:
        raise ValueError(f"{expression!r} is not a JMESPath expression") from error


def place(expression: str, body: object) -> object:
    """Return what an expression finds in a reply; None if there is nothing, or a function does not take it."""
    from jmespath.exceptions import JMESPathError

    parsed = compiled(expression)
    try:
        return None if parsed is None else parsed.search(body)
    except (JMESPathError, RecursionError, ArithmeticError):
        return None


def holes(value: object) -> Iterator[str]:
    """Yield the names in braces in a template."""
    if isinstance(value, str):
        yield from _HOLE.findall(value)
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
        yield from holes(item)


def body_of(template: Mapping[str, object], job: Job) -> dict[str, object]:
    """Return a template with a job's values. A member that names what the job lacks is left out, and so is a map or a
    list that is empty then."""
    filled = _filled(template, _fields(job))
    return filled if isinstance(filled, dict) else {}


def _fields(job: Job) -> Mapping[str, object]:
    """Return the values by name; None or empty where the job has none."""

    def link(ref: MediaRef | None) -> str | None:
        return ref.value if ref else None

    media = {name: link(getattr(job, name)) for name in ("first_frame", "last_frame")}
    lists = {name: values(getattr(job, name)) for name in ("images", "videos", "audios")}
    costly = {name: stated(job, name) for name in ("duration", "resolution", "audio")}
    plain = {name: getattr(job, name) for name in ("ratio", "seed", "camera_fixed", "watermark", "return_last_frame")}
    return {
        "model": job.model.name,
        "prompt": job.prompt,
        "mark": job.expires_after,
        **media,
        **lists,
        **costly,
        **plain,
    }


def _filled(value: object, given: Mapping[str, object]) -> object:
    """Return a part of a template, None if it is to be left out."""
    if isinstance(value, Mapping):
        members = {key: _filled(item, given) for key, item in value.items()}
        return {key: item for key, item in members.items() if item is not None} or None
    if isinstance(value, list | tuple):
        return [item for each in value if (item := _filled(each, given)) is not None] or None
    if not isinstance(value, str) or not (names := _HOLE.findall(value)):
        return value
    if any(given[name] in (None, "", []) for name in names):
        return None
    whole = _HOLE.fullmatch(value)
    return given[whole[1]] if whole else _HOLE.sub(lambda hole: str(given[hole[1]]), value)
