"""What a project says, after reading: frozen values with every variable, matrix and default resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from reconciler.diagnostics import Diagnostic, Source

JsonValue = object
"""A JSON value: None, bool, int, text, `Number`, list or map of the same. Floats never occur."""


class Number(str):
    """A number with a fraction, written unquoted in a free map: its canonical decimal text, never a float.

    `0.50` and `5e-1` are both `Number("0.5")`. Whoever writes JSON for a provider sends it as a number; whoever hashes
    tells it from the text `"0.5"`.
    """

    __slots__ = ()


class Frame(StrEnum):
    """Which part of another clip is meant."""

    LAST = "last_frame"
    FIRST = "first_frame"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """A file, as the user wrote it: a path relative to the project root, or absolute."""

    path: str


@dataclass(frozen=True, slots=True)
class UrlMedia:
    """An `https://` URL."""

    url: str


@dataclass(frozen=True, slots=True)
class AssetMedia:
    """An `asset://` id of the provider's own library."""

    id: str  # with the scheme


@dataclass(frozen=True, slots=True)
class DataMedia:
    """A `data:` URL."""

    url: str


@dataclass(frozen=True, slots=True)
class ClipMedia:
    """A frame, or the video, of another clip's picked take."""

    clip: str
    part: Frame


Media = LocalMedia | UrlMedia | AssetMedia | DataMedia | ClipMedia


@dataclass(frozen=True)
class Clip:
    """One clip with everything resolved; a matrix makes several. `None` means "not declared".

    Without slots, so that what is asked of it many times in a run is worked out once.
    """

    name: str  # "hero" or "social[ratio=16:9,lang=en]"
    declared: str  # the name in the file: "social"
    matrix: tuple[tuple[str, str], ...] = ()
    prompt: str = ""  # NFC
    provider: str = "draft"  # an alias
    model: str | None = None
    duration: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    first_frame: Media | None = None
    last_frame: Media | None = None
    images: tuple[Media, ...] = ()
    videos: tuple[Media, ...] = ()
    audios: tuple[Media, ...] = ()
    operation: str | None = None  # edit | extend
    seed: int | None = None  # -1 and absent are both None
    camera_fixed: bool | None = None
    audio: bool | None = None
    watermark: bool | None = None
    return_last_frame: bool | None = None
    takes: int = 1
    pick: int = 1
    retake: int = 0
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    output: str = ""  # relative to the project root, '/' separated, NFC
    tags: tuple[str, ...] = ()
    description: str = ""
    protect: bool = False
    where: Source | None = None  # of the clip's name
    fields: Mapping[str, Source] = field(default_factory=dict)  # of each field's value, where it was written

    def media(self) -> tuple[tuple[str, Media], ...]:
        """Every input with the field it stands in, in a fixed order (`references.images[0]`, …)."""
        return self._media

    @cached_property
    def _media(self) -> tuple[tuple[str, Media], ...]:
        frames = (("first_frame", self.first_frame), ("last_frame", self.last_frame))
        found: list[tuple[str, Media]] = [(name, item) for name, item in frames if item is not None]
        for kind, items in (("images", self.images), ("videos", self.videos), ("audios", self.audios)):
            found += [(f"references.{kind}[{i}]", item) for i, item in enumerate(items)]
        return tuple(found)

    def depends_on(self) -> tuple[str, ...]:
        """Names of the clips whose frames or video this one takes, sorted, each once."""
        return self._depends_on

    @cached_property
    def _depends_on(self) -> tuple[str, ...]:
        return tuple(sorted({item.clip for _, item in self._media if isinstance(item, ClipMedia)}))

    def source(self, field_name: str) -> Source | None:
        """Where a field was written, else where the clip was."""
        return self.fields.get(field_name) or self.where


@dataclass(frozen=True, slots=True)
class Secret:
    """The name of an environment variable that holds a secret; never the secret itself."""

    env: str


@dataclass(frozen=True, slots=True)
class Price:
    """One row of a price table: globs over the model, an optional resolution, exactly one unit."""

    model: str = "*"
    resolution: str | None = None
    per_second: Decimal | None = None
    per_clip: Decimal | None = None
    per_1k_tokens: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """A provider as the project declares it. Durations in seconds; None means the dialect's own default."""

    alias: str
    kind: str
    base_url: str | None = None
    credentials: Mapping[str, Secret | str] = field(default_factory=dict)  # a text only for app_id, which is no secret
    concurrency: int | None = None
    requests_per_second: Decimal | None = None
    poll_interval: Decimal | None = None
    timeout: Decimal | None = None
    prices: tuple[Price, ...] = ()
    settings: Mapping[str, JsonValue] = field(default_factory=dict)  # overrides of [assumed] facts, and `models`
    where: Source | None = None  # of the alias
    fields: Mapping[str, Source] = field(default_factory=dict)  # of each field's value


@dataclass(frozen=True, slots=True)
class Budget:
    """Caps in money and in clips; None means no cap of that sort."""

    currency: str
    per_apply: Decimal | None = None
    total: Decimal | None = None
    clips_per_apply: int | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """Everything the project's files say. `files` are the specs read, the project file first."""

    name: str  # "clipform.yaml"
    clips: tuple[Clip, ...]  # in file order
    providers: Mapping[str, ProviderConfig]  # always has `draft`
    budget: Budget | None = None
    publish: Mapping[str, JsonValue] = field(default_factory=dict)
    cache: Mapping[str, JsonValue] = field(default_factory=dict)
    allowed_inputs: tuple[str, ...] = ()  # folders outside the project that local media may be read from
    files: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    digest: str = ""  # SHA-256 of the texts read, in order
