"""Pictures in the encoder's format: one plane of light and two of colour at half size.

Everything is converted to BT.709 limited-range planes once, before the first frame, and each frame then moves and
blends planes only. That is a quarter of the work of drawing each frame in RGB, and the encoder converts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

from av.video.frame import VideoFrame
from PIL import Image

from reconciler.media.draft.camera import CameraView

_LIGHT: Final = (0.1826, 0.6142, 0.0620, 16.0)
_BLUE: Final = (-0.1006, -0.3386, 0.4392, 128.0)
_RED: Final = (0.4392, -0.3989, -0.0403, 128.0)

_SMOOTH: Final = Image.Resampling.BICUBIC
_QUICK: Final = Image.Resampling.BILINEAR

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
        """Return the camera's view of the picture: the largest window of the frame's shape, zoomed and moved."""
        box = window(self.size, view, size)
        half = (box[0] / 2, box[1] / 2, box[2] / 2, box[3] / 2)
        small = (size[0] // 2, size[1] // 2)
        colours = (plane.resize(small, _QUICK, half) for plane in (self.blue, self.red))
        return Planes(self.light.resize(size, _SMOOTH, box), *colours)

    def blended(self, other: Planes, share: float) -> Planes:
        """Return a cross-fade: `share` of the other."""
        return Planes(*(Image.blend(ours, theirs, share) for ours, theirs in zip(self, other, strict=True)))


def planes(picture: Image.Image) -> Planes:
    """Return the planes of an RGB picture with even sides."""
    light, blue, red = (picture.convert("L", weights) for weights in (_LIGHT, _BLUE, _RED))
    return Planes(light, blue.reduce(2), red.reduce(2))


def video_frame(planes: Planes, index: int, rate: Fraction | int) -> VideoFrame:
    """Return frame `index` for the encoder; rows are padded if the encoder wants longer ones."""
    frame = VideoFrame(planes.light.width, planes.light.height, "yuv420p")
    for ours, theirs in zip(planes, frame.planes, strict=True):
        content = ours.tobytes()
        spare = theirs.line_size - ours.width
        if spare:
            rows = (content[at : at + ours.width] + bytes(spare) for at in range(0, len(content), ours.width))
            content = b"".join(rows)
        theirs.update(content)
    frame.pts = index
    frame.time_base = 1 / Fraction(rate)
    return frame


def planes_of(frame: VideoFrame) -> Planes:
    """Return the planes of a decoded `yuv420p` frame, without a decoder's padding at the end of rows."""
    copies = (
        Image.frombuffer("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size, 1)
        for plane in frame.planes
    )
    return Planes(*copies)


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
            mask, half_mask = (m.point(lambda level: round(level * strength)) for m in (mask, half_mask))
        frame.light.paste(self.fill.light, (x, y), mask)
        frame.blue.paste(self.fill.blue, (x // 2, y // 2), half_mask)
        frame.red.paste(self.fill.red, (x // 2, y // 2), half_mask)


def overlay(picture: Image.Image, x: int, y: int) -> Overlay:
    """Return an RGBA picture as an overlay; its position and its sides must be even."""
    mask = picture.getchannel("A")
    region = (x, y, x + picture.width, y + picture.height)
    return Overlay(region, planes(picture.convert("RGB")), mask, mask.reduce(2))
