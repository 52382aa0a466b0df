"""The dialect protocol and the types of the model catalogue.

Every alternative is a frozen dataclass and every answer a union, so that callers `match` them all. Where a fact is
not written on the vendor's page it is a default that the provider's YAML may override (`Dialect.settings`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

Scalar = str | int | bool
"""The value of a parameter: never a float, which has no one spelling in a key."""


class Mode(StrEnum):
    """What a generation starts from; derived from the clip's fields, never declared."""

    TEXT = "text"
    FIRST_FRAME = "first_frame"
    FRAMES = "frames"  # first and last (or a lone last, where a line takes it)
    REFERENCES = "references"
    EDIT = "edit"
    EXTEND = "extend"


class Placement(StrEnum):
    """Where a line's resolution lives."""

    FIELD = "field"
    MODEL = "model"  # part of the model's name
    FIXED = "fixed"


class Billing(StrEnum):
    """What a line is billed by."""

    UNKNOWN = "unknown"
    FREE = "free"
    PER_SECOND = "per second"
    PER_CLIP = "per clip"
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """Limits on one sort of media. Sizes in bytes, sides in pixels, times in seconds; None means no limit known.

    `strict` limits refuse; the others (a model owner's, not on this vendor's page) only warn.
    """

    formats: tuple[str, ...] = ()
    max_bytes: int | None = None
    min_side: int | None = None
    max_side: int | None = None
    min_ratio: float | None = None  # width over height
    max_ratio: float | None = None
    min_area: int | None = None  # width times height
    max_area: int | None = None
    min_fps: int | None = None
    max_fps: int | None = None
    min_seconds: int | None = None
    max_seconds: int | None = None
    max_total_seconds: int | None = None
    max_total_bytes: int | None = None
    strict: bool = True


@dataclass(frozen=True, slots=True)
class Model:
    """One line of a vendor's catalogue: all that `validate` must know to refuse what the page refuses."""

    name: str  # as the vendor spells it in the request
    line: str = ""  # the family; where a resolution lives in the name, `line` plus a resolution finds the name
    modes: frozenset[Mode] = frozenset({Mode.TEXT})
    durations: tuple[int, ...] = ()  # whole seconds, sorted; -1 where the server may choose
    resolutions: tuple[str, ...] = ()
    resolution_in: Placement = Placement.FIELD
    ratios: tuple[str, ...] = ()
    max_images: int = 0
    max_videos: int = 0
    max_audios: int = 0
    max_media: int | None = None  # pictures of all fields together
    lone_last_frame: bool = False  # a last frame without a first is taken
    audio_alone: bool = False  # references may be audio only
    audios_with_frames: bool = False
    image_schemes: frozenset[str] = frozenset({"https"})  # https | data | asset | file (draft only)
    video_schemes: frozenset[str] = frozenset({"https"})
    audio_schemes: frozenset[str] = frozenset({"https"})
    prompt_required: bool = True
    prompt_max: int | None = None  # characters, refused above
    prompt_advised: int | None = None  # characters, warned above
    seed_max: int | None = None  # None: the line takes no seed
    reports_seed: bool = False  # its tasks show the seed that they were sent, so that another one is another request
    has_audio: bool = False  # the line has an audio switch
    has_camera_fixed: bool = False
    has_watermark: bool = False
    has_last_frame: bool = False
    reads_switches: bool = False  # the vendor parses `--rs 720p` and the like out of the prompt
    billing: Billing = Billing.UNKNOWN
    billed_videos: int = 0  # the seconds of so many reference videos, from the first, are billed on top
    required: frozenset[str] = frozenset()  # fields that cost money and have no default: the clip must say them
    defaults: Mapping[str, Scalar] = field(default_factory=dict)
    """What the vendor does when a field is not declared, by our field names. A switch that the line lacks stands here
    with the one value it can have. Those that cost money are sent explicitly (`check.COSTLY`)."""
    defaults_v1: Mapping[str, Scalar] | None = None
    """The defaults that recipe v1 froze, where `defaults` moved on since or were overridden; None: they are equal."""
    image_limits: MediaLimits = MediaLimits()
    video_limits: MediaLimits = MediaLimits()
    audio_limits: MediaLimits = MediaLimits()
    max_request_bytes: int | None = None  # of the whole body, pictures in it included
    note: str = ""


@dataclass(frozen=True, slots=True)
class MediaRef:
    """An input ready to send: `scheme` is https, data, asset or file; `value` the text that stands for it."""

    scheme: str
    value: str = field(repr=False)  # may be megabytes, or a link with a signature
    sha256: str = ""  # of the content, where it is known


@dataclass(frozen=True, slots=True)
class Job:
    """One generation to ask for: everything resolved, nothing left to decide.

    `label` and `take` are for people (the draft's caption); `marker` is unique to the attempt.
    """

    model: Model
    mode: Mode
    prompt: str
    duration: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    first_frame: MediaRef | None = None
    last_frame: MediaRef | None = None
    images: tuple[MediaRef, ...] = ()
    videos: tuple[MediaRef, ...] = ()
    audios: tuple[MediaRef, ...] = ()
    seed: int | None = None
    camera_fixed: bool | None = None
    audio: bool | None = None
    watermark: bool | None = None
    return_last_frame: bool | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    label: str = ""
    take: int = 1
    key: str = ""
    marker: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One exchange to make. `path` is relative to the provider's base URL; `body` is JSON or None.

    Credentials are not here: the transport adds the dialect's auth headers.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: object = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, complete and well-formed as HTTP. `body` is parsed JSON, or None when it was not JSON."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)  # lower-case names
    text: str = ""  # at most 64 KiB, when the body was not JSON


class Refusal(StrEnum):
    """Why a provider said no; decides what happens next."""

    INPUT = "bad input"  # the clip is blocked until its key changes
    MODERATION = "moderation"
    CREDENTIALS = "credentials"  # stop submitting to this provider
    ACCOUNT = "account"  # stop submitting to this provider
    TOKEN = "token"  # refresh once, then as credentials
    BUSY = "busy"  # wait, then again
    INTERNAL = "internal"  # the task failed for the provider's own reasons


# Answers to a submit -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider holds a task: it is owed."""

    task: str
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Surely not accepted: the code is on this dialect's list."""

    refusal: Refusal
    code: str
    message: str
    retry_after: float | None = None  # seconds


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may or may not have been accepted; never sent again by the program."""

    message: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte reached the provider (only a transport can know)."""

    message: str


SubmitAnswer = Accepted | Rejected | Unknown | NotSent

# Answers to a poll ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Working:
    """Queued, running, or a word that nobody knows: go on polling. `progress` is percent, None when not told."""

    queued: bool = False
    progress: int | None = None
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the provider says it used; units as reported."""

    tokens: int | None = None
    seconds: int | None = None
    amount: str = ""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The task has a result. `life` is how many seconds the link lives, None when nobody says."""

    video: str
    last_frame: str | None = None
    life: float | None = None
    seed: int | None = None
    usage: Usage = Usage()
    actual: Mapping[str, str | int] = field(default_factory=dict)  # duration, resolution, ratio as made


@dataclass(frozen=True, slots=True)
class NoOutput:
    """Success without a usable link."""

    message: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider says the task failed."""

    refusal: Refusal
    code: str
    message: str
    free: bool = True  # the vendor documents that failures are not billed


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The task was cancelled at the provider."""

    message: str = ""


@dataclass(frozen=True, slots=True)
class NotFound:
    """The provider does not know the id (or no longer)."""

    message: str = ""


@dataclass(frozen=True, slots=True)
class PollTrouble:
    """This answer says nothing about the task: ask again later."""

    message: str
    retry_after: float | None = None
    refusal: Refusal | None = None  # CREDENTIALS or TOKEN when that is why


PollAnswer = Working | Succeeded | NoOutput | Failed | Cancelled | NotFound | PollTrouble


@dataclass(frozen=True, slots=True)
class Pace:
    """How a provider likes to be asked. Seconds; the provider's YAML may override each."""

    first_poll: float = 5.0
    poll_min: float = 5.0
    poll_max: float = 15.0
    requests_per_second: float = 1.0
    concurrency: int = 5
    timeout: float = 1800.0
    link_life: float | None = None


# What a vendor can do ------------------------------------------------------------------------


@runtime_checkable
class Dialect(Protocol):
    """One vendor's language. All methods are pure. What only some vendors have (a list, a cancel, an upload, …) is a
    protocol of its own in `abilities`: ask with `isinstance(dialect, Lists)`, never by kind.
    """

    @property
    def kind(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def pace(self) -> Pace: ...
    @property
    def models(self) -> Sequence[Model]: ...
    @property
    def default_model(self) -> str: ...

    def submit(self, job: Job) -> Request:
        """The one request that asks for the job."""

    def read_submit(self, reply: Reply) -> SubmitAnswer:
        """What the reply to a submit means; a code that is not listed is `Unknown`."""

    def poll(self, task: str, job: Job | None) -> Request:
        """Ask how a task stands. `job` is only used by kinds that keep nothing themselves (draft)."""

    def read_poll(self, task: str, reply: Reply) -> PollAnswer:
        """What the reply to a poll means; an unknown status word keeps polling."""


LOCAL = "draft"
"""The kind whose vendor is this process itself: free, repeatable, and gone with it."""
