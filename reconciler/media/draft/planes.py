"""Pictures in the encoder's format: one plane of light and two of colour at half size.

Everything is converted to BT.709 limited-range planes once, before the first frame, and each frame then moves and
blends planes only. That is a quarter of the work of drawing each frame in RGB, and the encoder converts nothing.

FFmpeg's scaler films the pictures: it is five times as fast as Pillow's, but starts and ends at whole pixels, and
rounding would make a slow move jerk. So `sampling` looks for whole pixels that come near enough.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import Final, NamedTuple

from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import Interpolation
from PIL import Image

from reconciler.frozen import dataclass
from reconciler.media.draft.camera import CameraView

_LIGHT: Final = (0.1826, 0.6142, 0.0620, 16.0)
_BLUE: Final = (-0.1006, -0.3386, 0.4392, 128.0)
_RED: Final = (0.4392, -0.3989, -0.0403, 128.0)

_SCALER: Final = (
    Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
)  # equal on every processor

_BORDER: Final = 16
_REACH: Final = _BORDER // 2
"""Pixels of a plane by which a sampling may begin earlier and end later; half, because colours have half the border."""

Region = tuple[int, int, int, int]
"""Left, top, right, bottom; even numbers, so that it starts on whole colour samples."""


class Planes(NamedTuple):
    """A picture with even sides: `blue` and `red` are half as wide and half as high as `light`."""

    light: Image.Image
    blue: Image.Image
    red: Image.Image

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.light.size

    def copy(self) -> Planes:
        """Return planes to draw on."""
        return Planes(*(plane.copy() for plane in self))

    def seen_by(self, view: CameraView, size: tuple[int, int]) -> Planes:
        """Return the camera's view of a bordered picture: the largest window of the frame's shape, zoomed and moved."""
        x, y, x_end, y_end = window((self.light.width - 2 * _BORDER, self.light.height - 2 * _BORDER), view, size)
        sides = ((x + _BORDER, x_end + _BORDER, size[0]), (y + _BORDER, y_end + _BORDER, size[1]))
        across, down = (sampling(*side) for side in sides)
        half = [sampling(start / 2, end / 2, length // 2) for start, end, length in sides]
        return Planes(_sampled(self.light, across, down), *(_sampled(plane, *half) for plane in (self.blue, self.red)))

    def blended(self, other: Planes, share: float) -> Planes:
        """Return a cross-fade: `share` of the other."""
        return Planes(*(Image.blend(ours, theirs, share) for ours, theirs in zip(self, other, strict=True)))


def planes(picture: Image.Image) -> Planes:
    """Return the planes of an RGB picture with even sides."""
    light, blue, red = (picture.convert("L", weights) for weights in (_LIGHT, _BLUE, _RED))
    return Planes(light, blue.reduce(2), red.reduce(2))


def bordered(picture: Image.Image) -> Image.Image:
    """Return a picture with a border that continues its edges, for `Planes.seen_by`."""
    board = picture.resize((picture.width + 2 * _BORDER, picture.height + 2 * _BORDER), Image.Resampling.NEAREST)
    board.paste(picture, (_BORDER, _BORDER))
    return board


def video_frame(planes: Planes, index: int, rate: Fraction | int) -> VideoFrame:
    """Return frame `index` for the encoder."""
    frame = VideoFrame(planes.light.width, planes.light.height, "yuv420p")
    for ours, theirs in zip(planes, frame.planes, strict=True):
        _fill(theirs, ours)
    frame.pts = index
    frame.time_base = 1 / Fraction(rate)
    return frame


def planes_of(frame: VideoFrame) -> Planes:
    """Return the planes of a decoded `yuv420p` frame."""
    return Planes(*(_picture(plane) for plane in frame.planes))


def _fill(plane: VideoPlane, picture: Image.Image, x: int = 0, y: int = 0) -> None:
    """Copy the part of a picture that begins at x, y into a plane; its rows may be longer than it is wide."""
    plane.update(picture.crop((x, y, x + plane.line_size, y + plane.height)).tobytes())


def _picture(plane: VideoPlane) -> Image.Image:
    """Return a plane as a picture, without the padding at the end of rows."""
    return Image.frombuffer("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size, 1)


class Sampling(NamedTuple):
    """Along one axis: the pixels from `first` to `last` are scaled to `scaled` pixels; the view begins at `skip`."""

    first: int
    last: int
    scaled: int
    skip: int
    length: int


def sampling(start: float, end: float, length: int) -> Sampling:
    """Return the whole pixels that come nearest to a view from `start` to `end`, `length` pixels long: of those within
    reach, the ones whose places in the scaled picture are nearly whole too."""
    scale = length / (end - start)
    before = range(math.floor(start), math.floor(start) - _REACH, -1)
    first = min(before, key=lambda pixel: _off((start - pixel) * scale))
    after = range(math.ceil(end), math.ceil(end) + _REACH)
    last = min(after, key=lambda pixel: _off((pixel - first) * scale))
    return Sampling(first, last, round((last - first) * scale), round((start - first) * scale), length)


def _off(place: float) -> float:
    return abs(place - round(place))


def _sampled(plane: Image.Image, across: Sampling, down: Sampling) -> Image.Image:
    """Return a view of a plane."""
    part = VideoFrame(across.last - across.first, down.last - down.first, "gray")
    _fill(part.planes[0], plane, across.first, down.first)
    scaled = part.reformat(across.scaled, down.scaled, interpolation=_SCALER, threads=1)
    return _picture(scaled.planes[0]).crop(
        (across.skip, down.skip, across.skip + across.length, down.skip + down.length)
    )


def window(canvas: tuple[int, int], view: CameraView, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return the part of a canvas that fills a frame of `size`: never beyond its edges."""
    scale = min(canvas[0] / size[0], canvas[1] / size[1]) / view.zoom
    wide, high = size[0] * scale, size[1] * scale
    free_x, free_y = canvas[0] - wide, canvas[1] - high
    x = min(max(free_x * (1 + view.x) / 2, 0.0), free_x)
    y = min(max(free_y * (1 + view.y) / 2, 0.0), free_y)
    return (x, y, min(x + wide, canvas[0]), min(y + high, canvas[1]))


@dataclass(frozen=True, slots=True)
class Overlay:
    """A drawing with transparency that is laid over frames at one place."""

    region: Region
    fill: Planes
    mask: Image.Image
    half_mask: Image.Image

    def draw(self, frame: Planes, strength: float = 1.0) -> None:
        """Lay it over a frame, in place; `strength` below 1 fades it."""
        if strength <= 0:
            return
        x, y, _, _ = self.region
        mask, half_mask = self.mask, self.half_mask
        if strength < 1:
            mask, half_mask = faded(mask, strength), faded(half_mask, strength)
        frame.light.paste(self.fill.light, (x, y), mask)
        frame.blue.paste(self.fill.blue, (x // 2, y // 2), half_mask)
        frame.red.paste(self.fill.red, (x // 2, y // 2), half_mask)


def faded(mask: Image.Image, strength: float) -> Image.Image:
    """Return a mask at a share of its strength."""
    return mask.point(_levels(strength))


@cache
def _levels(strength: float) -> list[int]:
    return [round(level * strength) for level in range(256)]


def overlay(picture: Image.Image, x: int, y: int) -> Overlay:
    """Return an RGBA picture as an overlay; its position and its sides must be even."""
    mask = picture.getchannel("A")
    region = (x, y, x + picture.width, y + picture.height)
    return Overlay(region, planes(picture.convert("RGB")), mask, mask.reduce(2))
