"""The card for a clip without pictures: a landscape or still life in layers, and the prompt over it.

Layers at different distances move by different amounts, so the camera's move can be judged without a picture. As with
the caption, the words are gone on the first and the last frame.
"""

from __future__ import annotations

import math
import random
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from reconciler.frozen import dataclass
from reconciler.media.draft.camera import HEADROOM, Camera, CameraView, ease, view_at
from reconciler.media.draft.caption import margin
from reconciler.media.draft.moods import Colour, read_mood
from reconciler.media.draft.motifs import DrawingKit, Silhouette, shapes
from reconciler.media.draft.planes import Overlay, Planes, overlay, planes, window
from reconciler.media.draft.scene import FPS, Scene, Size
from reconciler.media.draft.type import face, wrapped

_TITLE_FADE: Final = FPS // 2
_MOST_LINES: Final = 5


@dataclass(frozen=True, slots=True)
class Layer:
    """A shape ready to film, with its colours as planes.

    Colours that run downward are light in the air: they have the frame's size and do not move. Colours that run across
    shade an object: they are a strip as wide as the canvas and move with it. The mask is empty beside `columns`, and
    full from the row `solid` on.
    """

    shape: Silhouette
    fill: Planes
    columns: tuple[int, int]
    solid: int


@dataclass(frozen=True, slots=True)
class CardStage:
    """A landscape or still life in layers, filmed by one camera."""

    ground: Planes
    layers: tuple[Layer, ...]
    canvas: tuple[int, int]
    title: Overlay | None
    camera: Camera
    frames: int

    def frame(self, index: int) -> Planes:
        """Return the camera's view, with the prompt over it."""
        view = view_at(self.camera, index / (self.frames - 1))
        frame = self.ground.copy()
        for layer in self.layers:
            _draw(frame, layer, _parallax(view, layer.shape.near), self.canvas)
        if self.title is not None:
            self.title.draw(frame, ease(min(1.0, index / _TITLE_FADE, (self.frames - 1 - index) / _TITLE_FADE)))
        return frame


def card_stage(scene: Scene, camera: Camera, size: Size) -> CardStage:
    """Return the card of a scene: motif and light from the prompt, details from the key."""
    motif, mood = read_mood(scene.prompt, scene.looks_seed)
    canvas = (2 * round(size.width * HEADROOM / 2), 2 * round(size.height * HEADROOM / 2))
    kit = DrawingKit(*canvas, mood, random.Random(scene.looks_seed))
    layers = tuple(_layer(shape, _fill(shape, canvas, size)) for shape in shapes(motif, kit))
    sky = [(0.0, mood.top), (0.34, mood.middle), (0.66, mood.horizon), (1.0, mood.horizon)]
    ground = _gradient(sky, size)
    return CardStage(ground, layers, canvas, _title(scene.caption, size), camera, scene.frames)


def _layer(shape: Silhouette, fill: Planes) -> Layer:
    left, _, right, _ = shape.mask.getbbox() or (0, 0, 0, 0)
    full = ImageChops.invert(shape.mask).getbbox() or (0, 0, 0, 0)
    return Layer(shape, fill, (left, right), shape.mask.height if shape.across else full[3])


def _parallax(view: CameraView, near: float) -> CameraView:
    """Return the part of a move that shows at a distance: the horizon hardly moves, the foreground most."""
    share = 0.2 + 1.0 * near
    return CameraView(1 + (view.zoom - 1) * share, view.x * share / 1.2, view.y * share / 1.2)


def _draw(frame: Planes, layer: Layer, view: CameraView, canvas: tuple[int, int]) -> None:
    """Lay a layer over the frame. Only what its mask covers is touched, and what it covers fully is copied, which makes
    it fast."""
    width, height = frame.size
    x, top, x_end, bottom = window(canvas, view, frame.size)
    scale = height / (bottom - top)
    mask, start = layer.shape.mask, layer.shape.top
    first = max(0, math.floor((start - top) * scale / 2 + 1) * 2)
    last = min(height, math.floor((start + mask.height - top) * scale / 2) * 2)
    left = max(0, math.floor((layer.columns[0] - x) * scale / 2 - 1) * 2)
    right = min(width, math.ceil((layer.columns[1] - x) * scale / 2 + 1) * 2)
    solid = max(first, math.ceil((start + layer.solid - top) * scale / 2 + 1) * 2)
    if solid < last:
        _copy_rows(frame, layer.fill, solid, last)
        last = solid
    if last <= first or right <= left:
        return
    rows = (max(0.0, top + first / scale - start), min(mask.height, top + last / scale - start))
    columns = (x + left / scale, min(x_end, x + right / scale))
    place = (columns[0], rows[0], columns[1], rows[1])
    visible = mask.resize((right - left, last - first), Image.Resampling.BILINEAR, place)
    masks = (visible, half := visible.reduce(2), half)
    for plane, fill, drawn in zip(frame, layer.fill, masks, strict=True):
        share = plane.width / width
        if layer.shape.across:
            strip = (columns[0] * share, 0, columns[1] * share, fill.height)
            colours = fill.resize(drawn.size, Image.Resampling.BILINEAR, strip)
        else:
            box = (round(left * share), round(first * share), round(right * share), round(last * share))
            colours = fill.crop(box)
        plane.paste(colours, (round(left * share), round(first * share)), drawn)


def _copy_rows(frame: Planes, fill: Planes, first: int, last: int) -> None:
    for plane, colours in zip(frame, fill, strict=True):
        share = plane.width / frame.light.width
        box = (0, round(first * share), plane.width, round(last * share))
        plane.paste(colours.crop(box), box)


def _fill(shape: Silhouette, canvas: tuple[int, int], size: Size) -> Planes:
    if shape.across:
        turned = _gradient([(0.0, shape.upper), (1.0, shape.lower)], Size(2, canvas[0]))
        return Planes(*(plane.transpose(Image.Transpose.ROTATE_90) for plane in turned))
    start = shape.top / canvas[1]
    end = (shape.top + shape.mask.height) / canvas[1]
    return _gradient([(start, shape.upper), (end, shape.lower)], size)


def _gradient(stops: list[tuple[float, Colour]], size: Size) -> Planes:
    """Return colours from top to bottom through stops at shares of the height, constant beyond the outer ones."""
    rows = b"".join(2 * bytes(_between(stops, y / size.height)) for y in range(size.height))
    light, blue, red = planes(Image.frombytes("RGB", (2, size.height), rows))
    half = (size.width // 2, size.height // 2)
    return Planes(light.resize((size.width, size.height)), blue.resize(half), red.resize(half))


def _between(stops: list[tuple[float, Colour]], at: float) -> Colour:
    for (start, one), (end, other) in zip(stops, stops[1:], strict=False):
        if at <= end:
            share = max(0.0, (at - start) / (end - start))
            red, green, blue = (min(255, max(0, round(a + (b - a) * share))) for a, b in zip(one, other, strict=True))
            return (red, green, blue)
    return stops[-1][1]


def _title(prompt: str, size: Size) -> Overlay | None:
    """Return the prompt in large type on the left, on a soft shade that separates it from the background."""
    short = min(size.width, size.height)
    is_wide = size.width > size.height
    width = round(size.width * (0.56 if is_wide else 0.84))
    for share in (0.072, 0.062, 0.053, 0.046, 0.040):
        font = face(round(short * share))
        lines = wrapped(prompt, font, width, _MOST_LINES)
        if len(lines) <= 3 or share == 0.040:
            break
    if not lines:
        return None
    leading = round(font.size * 1.36)
    x = margin(size)
    # Beside the sun if there is space, else above it.
    top = round(size.height * 0.40 - len(lines) * leading / 2 if is_wide else size.height * 0.12)
    ink = Image.new("L", (size.width, size.height))
    draw = ImageDraw.Draw(ink)
    for row, line in enumerate(lines):
        draw.text((x, top + row * leading), line, 255, font)
    return _lettering(ink, round(short * 0.03))


def _lettering(ink: Image.Image, blur: int) -> Overlay:
    """Return white letters with a wide and a close shadow."""
    small = ink.reduce(4)
    wide = small.filter(ImageFilter.GaussianBlur(blur / 2)).point(lambda level: min(150, round(level * 1.5)))
    close = small.filter(ImageFilter.GaussianBlur(blur / 14)).point(lambda level: round(level * 0.5))
    shade = Image.merge("LA", (Image.new("L", small.size, 10), wide))
    shade.alpha_composite(Image.merge("LA", (Image.new("L", small.size, 10), close)))
    picture = shade.convert("RGBA").resize(ink.size, Image.Resampling.BICUBIC)
    letters = Image.new("RGBA", ink.size, (252, 252, 250, 0))
    letters.putalpha(ink)
    picture.alpha_composite(letters)
    return overlay(picture, 0, 0)
