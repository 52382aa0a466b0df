"""Check a request against its model in the catalogue.

Only the catalogue's data is shared with the client; the rules are written here a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from reconciler.emulator.checks import Broken, Why, check_picture, scheme_of
from reconciler.frozen import dataclass
from reconciler.providers.base import Mode, Model, Placement


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request as its vendor's module reads it. `names`: from our names to the vendor's, where they differ."""

    model: Model
    prompt: str = ""
    duration: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    seed: int | None = None
    first: str | None = None
    last: str | None = None
    images: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    audios: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    more_schemes: frozenset[str] = frozenset()  # accepted besides the catalogue's, for all media

    def name(self, ours: str) -> str:
        """Return the vendor's name of a field."""
        return self.names.get(ours, ours)

    @property
    def mode(self) -> Mode:
        """The inputs that the request starts from."""
        if self.images or self.videos or self.audios:
            return Mode.REFERENCES
        if self.last:
            return Mode.FRAMES
        return Mode.FIRST_FRAME if self.first else Mode.TEXT


def check_rules(wanted: Wanted) -> None:
    """Raise `Broken` for the first rule of the model that the request breaks."""
    _check_prompt(wanted)
    _check_values(wanted)
    _check_modes(wanted)
    _check_counts(wanted)
    _check_media(wanted)


def _check_prompt(wanted: Wanted) -> None:
    model, name = wanted.model, wanted.name("prompt")
    if not wanted.prompt and (model.prompt_required or wanted.mode is Mode.TEXT):
        raise Broken(name, Why.MISSING, f"`{name}` is required")
    if model.prompt_max is not None and len(wanted.prompt) > model.prompt_max:
        raise Broken(name, Why.VALUE, f"`{name}` has {len(wanted.prompt)} characters, at most {model.prompt_max}")


def _check_values(wanted: Wanted) -> None:
    model = wanted.model
    if wanted.duration is None and "duration" in model.required:
        raise Broken(wanted.name("duration"), Why.MISSING, f"`{wanted.name('duration')}` is required")
    if wanted.resolution is not None and model.resolution_in is not Placement.FIELD:
        where = "in the model's name" if model.resolution_in is Placement.MODEL else "fixed"
        name = wanted.name("resolution")
        raise Broken(name, Why.RULE, f"`{name}` is not taken by {model.name}: the resolution is {where}")
    for ours, value, choices in (
        ("duration", wanted.duration, model.durations),
        ("resolution", wanted.resolution, model.resolutions),
        ("ratio", wanted.ratio, model.ratios),
    ):
        if value is not None and value not in choices:
            name = wanted.name(ours)
            raise Broken(name, Why.VALUE, f"`{name}`: {value} is not supported by {model.name}")
    adaptive = wanted.ratio == "adaptive"
    refusing = model.adaptive_never if adaptive else model.adaptive_only
    if wanted.ratio is not None and wanted.mode in refusing:
        name = wanted.name("ratio")
        raise Broken(name, Why.RULE, f"`{name}`: {wanted.ratio} is not supported by {model.name} in this mode")
    if wanted.seed is not None and (model.seed_max is None or not -1 <= wanted.seed <= model.seed_max):
        raise Broken(wanted.name("seed"), Why.VALUE, f"`{wanted.name('seed')}` is out of range")


def _check_modes(wanted: Wanted) -> None:
    model, mode = wanted.model, wanted.mode
    first, last = wanted.name("first"), wanted.name("last")
    if (wanted.first or wanted.last) and mode is Mode.REFERENCES:
        audio_allowed = not wanted.images and not wanted.videos and model.audios_with_frames
        if not audio_allowed:
            reason = "first/last frame content cannot be mixed with reference media content"
            raise Broken(wanted.name("images"), Why.RULE, f"`{first}`, `{last}`: {reason}")
    if wanted.last and not wanted.first and not model.lone_last_frame:
        raise Broken(last, Why.RULE, f"`{last}` needs `{first}`")
    if mode not in model.modes:
        if mode is Mode.FIRST_FRAME and Mode.FRAMES in model.modes:
            raise Broken(last, Why.RULE, f"`{first}` needs `{last}` on {model.name}")
        field = {Mode.TEXT: first, Mode.FRAMES: last, Mode.FIRST_FRAME: first}.get(mode, wanted.name("images"))
        why = Why.MISSING if mode is Mode.TEXT else Why.RULE
        raise Broken(field, why, f"{model.name} does not generate from {mode.value.replace('_', ' ')}")
    if wanted.audios and not wanted.images and not wanted.videos and not model.audio_alone:
        name = wanted.name("audios")
        raise Broken(name, Why.RULE, f"`{name}`: audio needs at least one picture or video as well")


def _check_counts(wanted: Wanted) -> None:
    model = wanted.model
    for ours, items, most in (
        ("images", wanted.images, model.max_images),
        ("videos", wanted.videos, model.max_videos),
        ("audios", wanted.audios, model.max_audios),
    ):
        if len(items) > most:
            name = wanted.name(ours)
            raise Broken(name, Why.VALUE, f"`{name}` has {len(items)} items, {model.name} takes at most {most}")


def _check_media(wanted: Wanted) -> None:
    model = wanted.model
    pictures = [
        *((wanted.name("first"), value) for value in (wanted.first,) if value is not None),
        *((wanted.name("last"), value) for value in (wanted.last,) if value is not None),
        *((wanted.name("images"), value) for value in wanted.images),
    ]
    _check_schemes(pictures, model.image_schemes | wanted.more_schemes)
    _check_schemes(((wanted.name("videos"), v) for v in wanted.videos), model.video_schemes | wanted.more_schemes)
    _check_schemes(((wanted.name("audios"), v) for v in wanted.audios), model.audio_schemes | wanted.more_schemes)
    for name, value in pictures:
        if scheme_of(value) in ("data", "bare"):
            check_picture(name, value, model.image_limits)


def _check_schemes(items: Iterable[tuple[str, str]], accepted: frozenset[str]) -> None:
    for name, value in items:
        if scheme_of(value) not in accepted:
            raise Broken(name, Why.IMAGE_FORMAT, f"`{name}` must be one of: {', '.join(sorted(accepted))}")
