"""The places that a card can show, as layers of flat shapes at different distances."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw, ImageFilter

from reconciler.media.draft.moods import Colour, Mood, Motif, mixed

PAD: Final = 6
"""Empty rows that a mask keeps above and below its shape, so that no edge of it is ever an edge of the mask."""


@dataclass(frozen=True, slots=True)
class Silhouette:
    """One flat layer: where it is (a mask, placed at row `top` of the canvas), how near, and its two colours.

    `upper` and `lower` are the colours at the top and at the foot of the mask; with `across` from left to right.
    """

    mask: Image.Image
    top: int
    near: float
    upper: Colour
    lower: Colour
    across: bool = False


@dataclass(frozen=True, slots=True)
class DrawingKit:
    """What a motif draws with: the canvas, the colours, and its own dice."""

    width: int
    height: int
    mood: Mood
    chance: random.Random

    @property
    def unit(self) -> float:
        """The canvas's shorter side: sizes of things are shares of it, whatever the shape of the frame."""
        return min(self.width, self.height)


def shapes(motif: Motif, place: DrawingKit) -> list[Silhouette]:
    """The layers of a motif, farthest first."""
    draw: dict[Motif, Callable[[DrawingKit], Iterator[Silhouette]]] = {
        "hills": _hills,
        "sea": _sea,
        "city": _city,
        "still life": _still_life,
    }
    return list(draw[motif](place))


def _hills(place: DrawingKit) -> Iterator[Silhouette]:
    yield from _sky(place, horizon=0.58)
    ridges = [(near, 0.52 + 0.40 * near**1.15, 0.15 - 0.05 * near) for near in (0, 0.25, 0.5, 0.75, 1)]
    feet = [base + swing + 0.06 for _, base, swing in ridges[1:]]
    for (near, base, swing), foot in zip(ridges, [*feet, 1.0], strict=True):
        colour = mixed(place.mood.far, place.mood.near, near)
        haze = mixed(colour, place.mood.horizon, 0.62 * (1 - near) + 0.08)
        yield _ridge(place, (base, min(1.0, foot)), swing, near, (colour, haze))


def _sea(place: DrawingKit) -> Iterator[Silhouette]:
    mood, horizon = place.mood, 0.60
    light_x = place.chance.uniform(0.62, 0.76)
    yield from _sky(place, horizon, light_x)
    yield _ridge(place, (horizon - 0.005, horizon + 0.08), 0.055, 0.12, (mixed(mood.far, mood.horizon, 0.35), mood.far))
    water = mixed(mood.middle, mood.near, 0.35)
    yield _band(place, horizon, 0.25, (mixed(water, mood.horizon, 0.55), mixed(mood.near, water, 0.2)))
    yield _glitter(place, horizon, light_x)
    yield _ridge(place, (0.95, 1.0), 0.06, 1.0, (mood.near, mixed(mood.near, (0, 0, 0), 0.4)))


def _city(place: DrawingKit) -> Iterator[Silhouette]:
    yield from _sky(place, horizon=0.66)
    mood = place.mood
    for near, low, high in ((0.15, 0.50, 0.64), (0.5, 0.44, 0.72), (0.95, 0.56, 0.88)):
        colour = mixed(mixed(mood.far, mood.horizon, 0.3), mood.near, near)
        blocks = _blocks(place, low, high, 0.05 + 0.05 * near)
        yield _skyline(place, blocks, near, (colour, mixed(colour, mood.horizon, 0.45 * (1 - near))))
        if near > 0.3:
            yield _windows(place, blocks, near)


def _still_life(place: DrawingKit) -> Iterator[Silhouette]:
    """A table, a lit wall, an arch, a vessel and a ball: quiet enough to stand for any product."""
    mood, unit = place.mood, place.unit
    # Beside the words where the picture is wide; in the middle, below them, where it is not.
    centre = place.width * (place.chance.uniform(0.66, 0.72) if place.width > place.height else 0.53)
    table = 0.62
    floor = place.height * (table + 0.085)
    yield _glow(place, (centre - unit * 0.1, place.height * 0.30), unit * 0.62, 0.1, 0.8)
    yield _band(place, table, 0.35, (mixed(mood.far, mood.horizon, 0.25), mixed(mood.far, mood.near, 0.55)))
    arch, pot, ball = centre - unit * 0.03, centre + unit * 0.20, centre - unit * 0.21
    yield _shadows(place, floor, ((arch, 0.34), (pot, 0.22), (ball, 0.2)))
    stone, glaze, chalk = (
        (mood.horizon, mixed(mood.far, mood.near, 0.3)),
        (mood.far, mixed(mood.near, mood.far, 0.15)),
        (mood.light, mixed(mood.far, mood.light, 0.2)),
    )
    yield _object(place, _arch, (arch, floor), unit * 0.46, 0.45, stone)
    yield _object(place, _vessel, (pot, floor + unit * 0.03), unit * 0.33, 0.65, glaze)
    yield _object(place, _ball, (ball, floor + unit * 0.05), unit * 0.15, 0.8, chalk)


def _sky(place: DrawingKit, horizon: float, light_x: float | None = None) -> Iterator[Silhouette]:
    """Stars, and the sun or the moon with its glow. The sky's own colours are the ground that all stand on."""
    mood, unit = place.mood, place.unit
    x = place.width * (light_x if light_x is not None else place.chance.uniform(0.6, 0.78))
    y = place.height * (horizon - place.chance.uniform(0.20, 0.30))
    if mood.stars:
        yield _stars(place, horizon)
    yield _glow(place, (x, y), unit * 0.5, 0.06, 0.4 if mood.stars else 0.62)
    yield _disc(place, (x, y), unit * 0.062, 0.06)


def _ridge(
    place: DrawingKit, rows: tuple[float, float], swing: float, near: float, colours: tuple[Colour, Colour]
) -> Silhouette:
    """A line of hills: noise of several octaves over a base line, filled down to a foot that nearer layers hide."""
    base, foot = rows
    heights = _noise_line(place.chance, place.width, swing * place.height, 2.2 + 2.2 * (1 - near))
    line = [base * place.height - height for height in heights]
    top = max(0, int(min(line)) - PAD)
    mask = Image.new("L", (place.width, round(place.height * foot) - top))
    points = [(x, y - top) for x, y in enumerate(line)]
    ImageDraw.Draw(mask).polygon([(0, mask.height), *points, (place.width, mask.height)], 255)
    return Silhouette(mask.filter(ImageFilter.GaussianBlur(0.8)), top, near, *colours)


def _noise_line(chance: random.Random, length: int, height: float, waves: float) -> list[float]:
    """Smooth noise: each octave twice as fine and less than half as high as the one before."""
    line = [0.0] * length
    for octave in range(6):
        count = max(2, round(waves * 2**octave)) + 2
        knots = [chance.uniform(-0.5, 1) for _ in range(count + 1)]
        share = height * 0.46**octave
        for x in range(length):
            place, rest = divmod(x * (count - 1) / length, 1)
            smooth = rest * rest * (3 - 2 * rest)
            left = knots[int(place)]
            line[x] += share * (left + (knots[int(place) + 1] - left) * smooth)
    return line


def _band(place: DrawingKit, start: float, near: float, colours: tuple[Colour, Colour]) -> Silhouette:
    """Everything below a straight line: water or a table."""
    top = round(place.height * start) - PAD
    mask = Image.new("L", (place.width, place.height - top))
    mask.paste(255, (0, PAD, place.width, mask.height))
    return Silhouette(mask, top, near, *colours)


def _glow(place: DrawingKit, centre: tuple[float, float], radius: float, near: float, strength: float) -> Silhouette:
    """Light that fades outward, without an edge."""
    side = 256
    ball = (
        Image.radial_gradient("L")
        .resize((side, side))
        .point(lambda level: round(255 * strength * max(0.0, 1 - level / 180) ** 2.2))
    )
    size = round(radius * 2)
    return _placed(place, ball.resize((size, size), Image.Resampling.BICUBIC), centre, near, place.mood.light)


def _disc(place: DrawingKit, centre: tuple[float, float], radius: float, near: float) -> Silhouette:
    size = round(radius * 2)
    disc = Image.new("L", (size * 4, size * 4))
    ImageDraw.Draw(disc).ellipse((8, 8, size * 4 - 9, size * 4 - 9), 240)
    return _placed(place, disc.resize((size, size), Image.Resampling.LANCZOS), centre, near, place.mood.light)


def _placed(
    place: DrawingKit, picture: Image.Image, centre: tuple[float, float], near: float, colour: Colour
) -> Silhouette:
    """A small mask as a layer as wide as the canvas."""
    top = max(0, round(centre[1] - picture.height / 2) - PAD)
    bottom = min(place.height, round(centre[1] + picture.height / 2) + PAD)
    mask = Image.new("L", (place.width, bottom - top))
    mask.paste(picture, (round(centre[0] - picture.width / 2), round(centre[1] - picture.height / 2) - top))
    return Silhouette(mask, top, near, colour, colour)


def _stars(place: DrawingKit, horizon: float) -> Silhouette:
    height = round(place.height * horizon)
    mask = Image.new("L", (place.width, height))
    draw = ImageDraw.Draw(mask)
    for _ in range(150):
        x, y = place.chance.uniform(0, place.width), place.chance.uniform(0, height) * place.chance.uniform(0.4, 1)
        radius = place.unit * place.chance.choice((0.0009, 0.0012, 0.0020))
        fade = 1 - y / height
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), round(place.chance.uniform(90, 240) * fade))
    return Silhouette(mask, 0, 0.03, place.mood.light, place.mood.light)


def _glitter(place: DrawingKit, horizon: float, light_x: float) -> Silhouette:
    """The light's path on the water: strokes that get longer and rarer towards us."""
    top = round(place.height * horizon)
    mask = Image.new("L", (place.width, place.height - top))
    draw = ImageDraw.Draw(mask)
    for step in range(90):
        depth = (step / 90) ** 1.6
        y = PAD + depth * (mask.height - PAD) * 0.86
        spread = place.unit * (0.03 + 0.16 * depth)
        x = light_x * place.width + place.chance.gauss(0, spread * 0.5)
        half = place.unit * (0.012 + 0.05 * depth) * place.chance.uniform(0.4, 1.2)
        thick = max(1.0, place.unit * 0.0035 * (0.4 + depth))
        draw.rounded_rectangle((x - half, y - thick / 2, x + half, y + thick / 2), thick / 2, round(150 - 80 * depth))
    return Silhouette(mask.filter(ImageFilter.GaussianBlur(1.0)), top, 0.3, place.mood.light, place.mood.horizon)


Block = tuple[int, int, int]
"""A building: left, right and top in canvas pixels."""


def _blocks(place: DrawingKit, low: float, high: float, width: float) -> list[Block]:
    """A row of buildings whose roofs lie between two heights (shares of the canvas, counted from above)."""
    blocks: list[Block] = []
    x = -round(place.unit * 0.05)
    while x < place.width:
        wide = round(place.unit * width * place.chance.uniform(0.7, 1.7))
        roof = round(place.height * (low + (high - low) * place.chance.random() ** 0.8))
        blocks.append((x, x + wide, roof))
        x += wide + (round(place.unit * 0.012) if place.chance.random() < 0.3 else 0)
    return blocks


def _skyline(place: DrawingKit, blocks: list[Block], near: float, colours: tuple[Colour, Colour]) -> Silhouette:
    top = min(roof for _, _, roof in blocks) - PAD
    mask = Image.new("L", (place.width, place.height - top))
    draw = ImageDraw.Draw(mask)
    for left, right, roof in blocks:
        draw.rectangle((left, roof - top, right - 1, mask.height), 255)
    return Silhouette(mask, top, near, *colours)


def _windows(place: DrawingKit, blocks: list[Block], near: float) -> Silhouette:
    """Some lit windows, in rows."""
    top = min(roof for _, _, roof in blocks) - PAD
    mask = Image.new("L", (place.width, place.height - top))
    draw = ImageDraw.Draw(mask)
    cell = place.unit * (0.011 + 0.008 * near)
    for left, right, roof in blocks:
        columns, rows = int((right - left) / cell / 1.6) - 1, int((place.height - roof) / cell / 2.2)
        for column in range(columns):
            for row in range(min(rows, 16)):
                if place.chance.random() < 0.24:
                    x = left + cell * (0.9 + 1.6 * column)
                    y = roof - top + cell * (1.2 + 2.2 * row)
                    draw.rectangle((x, y, x + cell * 0.7, y + cell), round(place.chance.uniform(70, 190)))
    warm = mixed(place.mood.light, (255, 206, 130), 0.6)
    return Silhouette(mask, top, near, warm, warm)


def _shadows(place: DrawingKit, floor: float, things: tuple[tuple[float, float], ...]) -> Silhouette:
    """Soft shadows under things that stand at these places with these widths (shares of the unit)."""
    top = round(floor - place.unit * 0.16)
    mask = Image.new("L", (place.width, place.height - top))
    draw = ImageDraw.Draw(mask)
    for x, width in things:
        half = place.unit * width * 0.62
        x, y = x + half * 0.55, floor - top + place.unit * 0.035
        draw.ellipse((x - half, y - half * 0.16, x + half, y + half * 0.22), 170)
    blurred = mask.filter(ImageFilter.GaussianBlur(place.unit * 0.018))
    return Silhouette(blurred, top, 0.5, mixed(place.mood.near, (0, 0, 0), 0.35), place.mood.near)


def _object(
    place: DrawingKit,
    outline: Callable[[ImageDraw.ImageDraw, float], None],
    foot: tuple[float, float],
    height: float,
    near: float,
    colours: tuple[Colour, Colour],
) -> Silhouette:
    """A thing that stands with its foot at a point, lit from the left."""
    scale = 3
    side = round(height)
    drawn = Image.new("L", (side * scale, side * scale))
    outline(ImageDraw.Draw(drawn), side * scale)
    picture = drawn.resize((side, side), Image.Resampling.LANCZOS)
    shape = _placed(place, picture, (foot[0], foot[1] - height / 2), near, colours[0])
    left, right = foot[0] - height * 0.5, foot[0] + height * 0.5
    return Silhouette(shape.mask, shape.top, near, *_stretched(colours, left, right, place.width), across=True)


def _stretched(colours: tuple[Colour, Colour], left: float, right: float, width: int) -> tuple[Colour, Colour]:
    """End colours of a gradient over the whole canvas that runs from one to the other within the thing."""
    light, dark = colours
    slope = 1 / (right - left)
    start = tuple(round(a + (b - a) * -left * slope) for a, b in zip(light, dark, strict=True))
    end = tuple(round(a + (b - a) * (width - left) * slope) for a, b in zip(light, dark, strict=True))
    return (start[0], start[1], start[2]), (end[0], end[1], end[2])


def _arch(draw: ImageDraw.ImageDraw, side: float) -> None:
    """A gate with a round head, open in the middle."""
    for inset, level in ((0.14, 255), (0.31, 0)):
        left, right, head = side * inset, side * (1 - inset), side * (inset - 0.12)
        draw.ellipse((left, head, right, head + right - left), level)
        draw.rectangle((left, head + (right - left) / 2, right, side), level)


def _vessel(draw: ImageDraw.ImageDraw, side: float) -> None:
    """A bottle: belly, shoulder, neck, lip, as the outline of a turned thing."""
    right: list[tuple[float, float]] = []
    for step in range(61):
        y = step / 60
        belly = 0.07 + 0.17 * math.sin(math.pi * min(1.0, max(0.0, (y - 0.25) / 0.85))) ** 0.8
        radius = 0.085 if y < 0.04 else max(0.06, belly) if y > 0.22 else 0.06
        right.append((0.5 + radius, y))
    left = [(1 - x, y) for x, y in reversed(right)]
    draw.polygon([(x * side, y * side) for x, y in (*right, *left)], 255)


def _ball(draw: ImageDraw.ImageDraw, side: float) -> None:
    draw.ellipse((2, 2, side - 3, side - 3), 255)
