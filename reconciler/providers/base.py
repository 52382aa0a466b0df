"""The dialect protocol, its answers, and the types of the model catalogue.

Every alternative is a frozen dataclass and every answer a union, so that callers can `match` all cases. A fact that the
vendor's page does not state is a default that the provider's YAML may override (`settings`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from reconciler.frozen import dataclass

Scalar = str | int | bool
"""The value of a parameter. Never a float: it has more than one spelling, and a key needs exactly one."""


class Mode(StrEnum):
    """The inputs that a generation starts from; derived from the clip's fields, never declared."""

    TEXT = "text"
    FIRST_FRAME = "first_frame"
    FRAMES = "frames"  # first and last (or a lone last, where a line takes it)
    REFERENCES = "references"
    EDIT = "edit"
    EXTEND = "extend"


class Placement(StrEnum):
    """Where a request states the resolution."""

    FIELD = "field"
    MODEL = "model"  # part of the model's name
    FIXED = "fixed"


class Billing(StrEnum):
    """The unit that a model is billed by."""

    UNKNOWN = "unknown"
    FREE = "free"
    PER_SECOND = "per second"
    PER_CLIP = "per clip"
    EITHER = "per clip or per second"  # the sources differ
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """Limits on one type of media. Sizes in bytes, sides in pixels, times in seconds; None if no limit is known.

    `strict` limits are errors; the others (a model owner's, not on this vendor's page) are warnings. So is a file that
    `newer` limits of another page take: they replace those of the same name.
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
    newer: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Model:
    """One model of a catalogue: the facts that `validate` needs to refuse a clip before the vendor does."""

    name: str  # as the vendor spells it in the request
    line: str = ""  # the family; if the resolution is part of the name, `line` and a resolution select the model
    stem: str = ""  # of a project's own entry: the shipped model that it is like
    modes: frozenset[Mode] = frozenset({Mode.TEXT})
    durations: tuple[int, ...] = ()  # whole seconds, sorted; -1 where the server may choose
    resolutions: tuple[str, ...] = ()
    resolution_in: Placement = Placement.FIELD
    ratios: tuple[str, ...] = ()
    adaptive_only: frozenset[Mode] = frozenset()  # modes that take no ratio but adaptive
    adaptive_never: frozenset[Mode] = frozenset()  # modes that do not take the ratio adaptive
    max_images: int = 0
    max_videos: int = 0
    max_audios: int = 0
    max_media: int | None = None  # pictures of all fields together
    lone_last_frame: bool = False  # accepts a last frame without a first
    audio_alone: bool = False  # accepts audio as the only reference
    audios_with_frames: bool = False
    image_schemes: frozenset[str] = frozenset({"https"})  # https | data | asset | file (draft only)
    video_schemes: frozenset[str] = frozenset({"https"})
    audio_schemes: frozenset[str] = frozenset({"https"})
    prompt_required: bool = True
    prompt_max: int | None = None  # characters; more is an error
    prompt_advised: int | None = None  # characters; more is a warning
    seed_max: int | None = None  # None: the model takes no seed
    reports_seed: bool = False  # tasks report the seed of their request, so a task with another seed is another request
    has_audio: bool = False  # it has an audio switch
    has_camera_fixed: bool = False
    has_watermark: bool = False
    has_last_frame: bool = False
    reads_switches: bool = False  # the vendor parses `--rs 720p` and the like in the prompt
    billing: Billing = Billing.UNKNOWN
    pixels: str = ""  # the family of `pixels.yaml` whose picture sizes it has; without one, tokens have no price
    billed_videos: int = 0  # so many reference videos, from the first, are billed by their seconds as well
    names_operation: bool = False  # edit and extend are named in the request, not only in the prompt
    options: Mapping[str, tuple[Scalar, ...]] | None = None
    """The vendor's own fields that `options:` may set, each with its values; () where any will do. None: not known."""
    flex_within: int | None = None  # seconds after which no task of the tier flex is under way; None: no such tier
    retired: str = ""  # since when its owner does not offer it, and what follows it
    draft_finals: tuple[str, ...] = ()  # resolutions of a final that is made from a draft; without one, no drafts
    draft_tokens: Mapping[str, int] = field(default_factory=dict)
    """The part of the tokens that a draft is billed for, in percent: `silent`, and with `audio`; else all."""
    required: frozenset[str] = frozenset()  # fields that cost money and have no default: the clip must declare them
    defaults: Mapping[str, Scalar] = field(default_factory=dict)
    """The vendor's values for fields that are not declared, by our field names. A switch that the model lacks is listed
    with its only possible value. Those that cost money are sent explicitly (`check.COSTLY`)."""
    defaults_v1: Mapping[str, Scalar] | None = None
    """The defaults that recipe v1 froze, if `defaults` changed since or were overridden; None if they are equal."""
    image_limits: MediaLimits = MediaLimits()
    video_limits: MediaLimits = MediaLimits()
    audio_limits: MediaLimits = MediaLimits()
    max_request_bytes: int | None = None  # of the whole body, including pictures in it
    note: str = ""


@dataclass(frozen=True, slots=True)
class MediaRef:
    """An input that is ready to send: `scheme` is https, data, asset or file; `value` is the URL, id or path."""

    scheme: str
    value: str = field(repr=False)  # may be megabytes long, or a link with a signature
    sha256: str = ""  # of the content, if known


@dataclass(frozen=True, slots=True)
class Job:
    """One generation to request, with every value resolved.

    `label`, `take`, `retake` and `lead` (see `Clip`) are for people: a draft shows them; `marker` is unique to the
    attempt, `expires_after` is the number that marks its task (`capabilities.Marks`).
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
    retake: int = 0
    lead: int = 0
    key: str = ""
    marker: str = ""
    expires_after: int | None = None
    tier: str = ""  # flex, or the provider's usual one
    draft_task: str = ""  # of the draft that it is the final of; nothing that the draft was asked for is sent again


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to make. `path` is relative to the provider's base URL; `body` is JSON or None.

    It holds no credentials: the transport adds the dialect's auth headers. `is_late`: True once it must not leave.
    `host`: another host of the vendor's own; another base URL than the dialect's has to answer for it too.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: object = None
    headers: tuple[tuple[str, str], ...] = ()
    is_late: Callable[[], bool] | None = field(default=None, compare=False)
    host: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """One complete HTTP reply. `body` is the parsed JSON, or None if it was not JSON. `base_url`: the provider's, to
    which a submit was sent."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)  # lower-case names
    text: str = ""  # the body if it was not JSON, at most 64 KiB
    base_url: str = ""


class Refusal(StrEnum):
    """Why a provider refused a request or a task failed; decides the next step."""

    INPUT = "bad input"  # the clip is blocked until its key changes
    MODERATION = "moderation"
    CREDENTIALS = "credentials"  # stop submitting to this provider
    ACCOUNT = "account"  # stop submitting to this provider
    TOKEN = "token"  # refresh once, then treat as credentials
    BUSY = "busy"  # wait, then retry
    INTERNAL = "internal"  # the task failed for the provider's reasons


# Answers to a submit -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider accepted a task and will bill it."""

    task: str
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider did not accept it: the code is in this dialect's table."""

    refusal: Refusal
    code: str
    message: str
    retry_after: float | None = None  # seconds


@dataclass(frozen=True, slots=True)
class Unknown:
    """The provider may or may not have accepted it; the program never sends it again.

    `complaint`: the provider refuses, in words that prove nothing; it would answer the next request alike.
    """

    message: str
    complaint: bool = False


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte reached the provider (only a transport can know). `closed`: nothing listens at its address."""

    message: str
    closed: bool = False


SubmitAnswer = Accepted | Rejected | Unknown | NotSent

# Answers to a poll ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Working:
    """Queued, running, or an unknown status: keep polling. `progress` is percent, None if not reported."""

    queued: bool = False
    progress: int | None = None
    warning: str = ""
    without_frames: bool = False  # the task shows that it has no frames, whatever the request had


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens that the provider reports. `nonsense` is a figure that cannot be, quoted: then the cost is unknown."""

    tokens: int | None = None
    nonsense: str = ""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The task has a result. `life` is for how many seconds the link is valid, None if unknown."""

    video: str
    last_frame: str | None = None
    life: float | None = None
    seed: int | None = None
    usage: Usage = Usage()
    actual: Mapping[str, str | int] = field(default_factory=dict)  # model, duration, resolution, ratio of the result
    without_frames: bool = False  # as of `Working`


@dataclass(frozen=True, slots=True)
class NoOutput:
    """The task succeeded but its reply has no usable link."""

    message: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The task failed at the provider."""

    refusal: Refusal
    code: str
    message: str
    free: bool = True  # the vendor documents that it does not bill failures


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The task was cancelled at the provider."""

    message: str = ""


@dataclass(frozen=True, slots=True)
class NotFound:
    """The provider does not know the task id, or no longer."""

    message: str = ""


@dataclass(frozen=True, slots=True)
class PollTrouble:
    """The reply does not show the task's status: poll again later."""

    message: str
    retry_after: float | None = None
    refusal: Refusal | None = None  # CREDENTIALS or TOKEN if that is the cause
    closed: bool = False  # nothing listens at its address


PollAnswer = Working | Succeeded | NoOutput | Failed | Cancelled | NotFound | PollTrouble


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a provider may be called. Times in seconds; the provider's YAML may override each."""

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
    """The translation to one vendor's API. All methods are pure. Features of only some vendors (a list, a cancel, an
    upload, …) are protocols in `capabilities`: test with `isinstance(dialect, Lists)`, never by kind.
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
        """Return the request that submits a job."""

    def read_submit(self, reply: Reply) -> SubmitAnswer:
        """Return the meaning of a reply to a submit; an unlisted error code is `Unknown`."""

    def poll(self, task: str, job: Job | None) -> Request:
        """Return the request for a task's status. Only `draft` uses `job`: its renderer keeps no tasks."""

    def read_poll(self, task: str, reply: Reply) -> PollAnswer:
        """Return the meaning of a reply to a poll; an unknown status is `Working`."""


LOCAL = "draft"
"""The kind that renders in this process: free, repeatable, and its tasks end with the process."""
