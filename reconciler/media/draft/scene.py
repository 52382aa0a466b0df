"""The content of a draft, read from the body that the draft dialect sends, and its size.

**Sizes** are those of a model family (`providers/pixels.yaml`), so that a draft and its final clip have one size: 480p
of Seedance 2.0 is 864×496, 496×864, 752×560, 560×752, 640×640 and 992×432. Where the table has none, the resolution's
number is the shorter side and the ratio gives the longer one, rounded to even. `adaptive` takes the shape of the first
picture, at most 21:9 either way, and is 16:9 without one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from reconciler.diagnostics import MediaError
from reconciler.frozen import dataclass
from reconciler.providers.pixels import size_of

FPS: Final = 24
"""Frames per second of every draft: the rate of film, and a whole number of frames in each second."""

_SHORT_SIDE: Final = {"480p": 480, "720p": 720, "1080p": 1080, "2k": 1440, "4k": 2160}

_RATIOS: Final = {name: Fraction(name.replace(":", "/")) for name in ("16:9", "9:16", "4:3", "3:4", "1:1", "21:9")}

_WIDEST: Final = _RATIOS["21:9"]

_TEXTS: Final = ("key", "label", "mode", "prompt", "resolution", "ratio", "family")


@dataclass(frozen=True, slots=True)
class Size:
    """A picture's size in pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Ref:
    """One input: `sha256` is the hash of the planned content, empty if unknown."""

    scheme: str
    value: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """One draft to render. `key` seeds everything that looks random."""

    key: str
    label: str
    take: int
    retake: int
    mode: str
    prompt: str
    seed: int | None
    duration: int
    resolution: str
    ratio: str
    family: str
    lead: int
    camera_fixed: bool
    audio: bool
    return_last_frame: bool
    first_frame: Ref | None = None
    last_frame: Ref | None = None
    images: tuple[Ref, ...] = ()
    videos: tuple[Ref, ...] = ()

    @property
    def caption(self) -> str:
        """The prompt with what only this clip says first."""
        own, shared = self.prompt[self.lead :], self.prompt[: self.lead].rstrip(" \n.;:,。；：，")
        return f"{own} · {shared}" if shared and own else self.prompt

    @property
    def has_pictures(self) -> bool:
        """True if it shows its inputs rather than a card."""
        return bool(self.first_frame or self.last_frame or self.images or self.videos)

    @property
    def frames(self) -> int:
        """The exact number of frames."""
        return self.duration * FPS

    @property
    def looks_seed(self) -> int:
        """The seed of the drawing, from the key, or from the prompt without one."""
        text = self.key or f"{self.prompt}\0{self.seed}\0{self.take}"
        return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big")


def read_scene(body: object) -> Scene:
    """Return the scene that a request's body describes. Raises MediaError if the body is invalid."""
    if not isinstance(body, Mapping):
        raise MediaError("a draft needs a scene to draw", code="input")
    values: dict[str, Any] = {name: _text(body, name) for name in _TEXTS}
    values |= {name: _whole(body, name) for name in ("take", "retake", "duration", "lead")}
    values |= {name: body.get(name) is True for name in ("camera_fixed", "audio", "return_last_frame")}
    values |= {name: _ref(body[name]) for name in ("first_frame", "last_frame") if body.get(name) is not None}
    values |= {name: _refs(body, name) for name in ("images", "videos")}
    scene = Scene(**values, seed=None if body.get("seed") is None else _whole(body, "seed"))
    if not 1 <= scene.duration <= 60:
        raise MediaError(f"a draft lasts 1 to 60 seconds, not {scene.duration}", code="input")
    frame_size(scene, None)
    return scene


def frame_size(scene: Scene, first: Size | None) -> Size:
    """Return the draft's size; `first` is the size of its first picture, for `adaptive`."""
    short = _SHORT_SIDE.get(scene.resolution)
    if short is None:
        raise MediaError(f"no draft has the resolution {scene.resolution!r}", code="input")
    ratio = "16:9" if scene.ratio == "adaptive" and first is None else scene.ratio
    listed = size_of(scene.family, scene.resolution, ratio)
    if listed is not None:
        return Size(*listed)
    shape = _shape(ratio, first)
    if shape >= 1:
        return Size(_even(short * shape), short)
    return Size(short, _even(short / shape))


def _shape(ratio: str, first: Size | None) -> Fraction:
    if ratio == "adaptive" and first is not None:
        return min(max(Fraction(first.width, first.height), 1 / _WIDEST), _WIDEST)
    shape = _RATIOS.get(ratio)
    if shape is None:
        raise MediaError(f"no draft has the ratio {ratio!r}", code="input")
    return shape


def _even(side: Fraction) -> int:
    """Return the nearest even number: yuv420p has one colour sample for two by two pixels."""
    return 2 * round(side / 2)


def _text(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise MediaError(f"the scene's {name!r} is not text", code="input")
    return value


def _whole(body: Mapping[str, object], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise MediaError(f"the scene's {name!r} is not a whole number", code="input")
    return value


def _refs(body: Mapping[str, object], name: str) -> tuple[Ref, ...]:
    items = body.get(name)
    if not isinstance(items, list):
        raise MediaError(f"the scene's {name!r} is not a list", code="input")
    return tuple(_ref(item) for item in items)


def _ref(item: object) -> Ref:
    if not isinstance(item, Mapping):
        raise MediaError("an input of the scene is not a reference", code="input")
    return Ref(_text(item, "scheme"), _text(item, "value"), _text(item, "sha256"))
