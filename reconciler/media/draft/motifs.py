"""The motifs of a card, as layers of flat shapes at different distances."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from PIL import Image, ImageDraw, ImageFilter

from reconciler.frozen import dataclass
from reconciler.media.draft.moods import Colour, Mood, Motif, mixed

Colours = tuple[Colour, Colour]
Outline = Callable[[ImageDraw.ImageDraw, float], None]

PAD: Final = 6
"""Empty rows above and below a mask's shape, so that its edge is never an edge of the mask."""


@dataclass(frozen=True, slots=True)
class Silhouette:
    """One flat layer: its mask (at row `top` of the canvas), how near it is, and its two colours.

    `upper` and `lower` are the colours at the top and the bottom of the mask; with `across` from left to right.
    """

    mask: Image.Image
    top: int
    near: float
    upper: Colour
    lower: Colour
    across: bool = False


@dataclass(frozen=True, slots=True)
class DrawingKit:
    """The tools of a motif: the canvas, the colours, and a seeded generator."""

    width: int
    height: int
    mood: Mood
    random: Random

    @property
    def unit(self) -> float:
        """The canvas's shorter side: sizes are shares of it, whatever the shape of the frame."""
        return min(self.width, self.height)


def shapes(motif: Motif, kit: DrawingKit) -> list[Silhouette]:
    """Return the layers of a motif, farthest first."""
    draw = {"hills": _hills, "sea": _sea, "city": _city, "still life": _still_life}
    return list(draw[motif](kit))


def _hills(kit: DrawingKit) -> Iterator[Silhouette]:
    yield from _sky(kit, horizon=0.58)
    ridges = [(near, 0.52 + 0.40 * near**1.15, 0.15 - 0.05 * near) for near in (0, 0.25, 0.5, 0.75, 1)]
    feet = [base + swing + 0.06 for _, base, swing in ridges[1:]]
    for (near, base, swing), foot in zip(ridges, [*feet, 1.0], strict=True):
        colour = mixed(kit.mood.far, kit.mood.near, near)
        haze = mixed(colour, kit.mood.horizon, 0.62 * (1 - near) + 0.08)
        yield _ridge(kit, (base, min(1.0, foot)), swing, near, (colour, haze))


def _sea(kit: DrawingKit) -> Iterator[Silhouette]:
    mood, horizon = kit.mood, 0.60
    light_x = kit.random.uniform(0.62, 0.76)
    yield from _sky(kit, horizon, light_x)
    yield _ridge(kit, (horizon - 0.005, horizon + 0.08), 0.055, 0.12, (mixed(mood.far, mood.horizon, 0.35), mood.far))
    water = mixed(mood.middle, mood.near, 0.35)
    yield _band(kit, horizon, 0.25, (mixed(water, mood.horizon, 0.55), mixed(mood.near, water, 0.2)))
    yield _glitter(kit, horizon, light_x)
    yield _ridge(kit, (0.95, 1.0), 0.06, 1.0, (mood.near, mixed(mood.near, (0, 0, 0), 0.4)))


def _city(kit: DrawingKit) -> Iterator[Silhouette]:
    yield from _sky(kit, horizon=0.66)
    mood = kit.mood
    for near, low, high in ((0.15, 0.50, 0.64), (0.5, 0.44, 0.72), (0.95, 0.56, 0.88)):
        colour = mixed(mixed(mood.far, mood.horizon, 0.3), mood.near, near)
        blocks = _blocks(kit, low, high, 0.05 + 0.05 * near)
        yield _skyline(kit, blocks, near, (colour, mixed(colour, mood.horizon, 0.45 * (1 - near))))
        if near > 0.3:
            yield _windows(kit, blocks, near)


def _still_life(kit: DrawingKit) -> Iterator[Silhouette]:
    """Yield a table, a lit wall, an arch, a vessel and a ball: neutral enough for any product."""
    mood, unit = kit.mood, kit.unit
    # Beside the words in a wide picture; in the middle, below them, in a tall one.
    centre = kit.width * (kit.random.uniform(0.66, 0.72) if kit.width > kit.height else 0.53)
    table = 0.62
    floor = kit.height * (table + 0.085)
    yield _glow(kit, (centre - unit * 0.1, kit.height * 0.30), unit * 0.62, 0.1, 0.8)
    yield _band(kit, table, 0.35, (mixed(mood.far, mood.horizon, 0.25), mixed(mood.far, mood.near, 0.55)))
    arch, pot, ball = centre - unit * 0.03, centre + unit * 0.20, centre - unit * 0.21
    yield _shadows(kit, floor, ((arch, 0.34), (pot, 0.22), (ball, 0.2)))
    stone = (mood.horizon, mixed(mood.far, mood.near, 0.3))
    glaze = (mood.far, mixed(mood.near, mood.far, 0.15))
    chalk = (mood.light, mixed(mood.far, mood.light, 0.2))
    yield _object(kit, _arch, _Position(arch, floor, unit * 0.46, 0.45), stone)
    yield _object(kit, _vessel, _Position(pot, floor + unit * 0.03, unit * 0.33, 0.65), glaze)
    yield _object(kit, _ball, _Position(ball, floor + unit * 0.05, unit * 0.15, 0.8), chalk)


def _sky(kit: DrawingKit, horizon: float, light_x: float | None = None) -> Iterator[Silhouette]:
    """Yield stars, and the sun or the moon with its glow. The sky's own colours are the ground."""
    mood, unit = kit.mood, kit.unit
    x = kit.width * (light_x if light_x is not None else kit.random.uniform(0.6, 0.78))
    y = kit.height * (horizon - kit.random.uniform(0.20, 0.30))
    if mood.stars:
        yield _stars(kit, horizon)
    yield _glow(kit, (x, y), unit * 0.5, 0.06, 0.4 if mood.stars else 0.62)
    yield _disc(kit, (x, y), unit * 0.062, 0.06)


def _ridge(kit: DrawingKit, rows: tuple[float, float], swing: float, near: float, colours: Colours) -> Silhouette:
    """Return a line of hills: noise in octaves over a base line, filled down to a foot that nearer layers hide."""
    base, foot = rows
    heights = _noise_line(kit.random, kit.width, swing * kit.height, 2.2 + 2.2 * (1 - near))
    line = [base * kit.height - height for height in heights]
    top = max(0, int(min(line)) - PAD)
    mask = Image.new("L", (kit.width, round(kit.height * foot) - top))
    points = [(x, y - top) for x, y in enumerate(line)]
    ImageDraw.Draw(mask).polygon([(0, mask.height), *points, (kit.width, mask.height)], 255)
    return Silhouette(mask.filter(ImageFilter.GaussianBlur(0.8)), top, near, *colours)


def _noise_line(random: Random, length: int, height: float, waves: float) -> list[float]:
    """Return smooth noise: each octave twice as fine and less than half as high as the previous one."""
    line = [0.0] * length
    for octave in range(6):
        count = max(2, round(waves * 2**octave)) + 2
        knots = [random.uniform(-0.5, 1) for _ in range(count + 1)]
        share = height * 0.46**octave
        for x in range(length):
            knot, part = divmod(x * (count - 1) / length, 1)
            smooth = part * part * (3 - 2 * part)
            value = knots[int(knot)]
            line[x] += share * (value + (knots[int(knot) + 1] - value) * smooth)
    return line


def _band(kit: DrawingKit, start: float, near: float, colours: Colours) -> Silhouette:
    """Return everything below a straight line: water or a table."""
    top = round(kit.height * start) - PAD
    mask = Image.new("L", (kit.width, kit.height - top))
    mask.paste(255, (0, PAD, kit.width, mask.height))
    return Silhouette(mask, top, near, *colours)


def _glow(kit: DrawingKit, centre: tuple[float, float], radius: float, near: float, strength: float) -> Silhouette:
    """Return light that fades outward, without an edge."""
    side = 256
    ball = (
        Image.radial_gradient("L")
        .resize((side, side))
        .point(lambda level: round(255 * strength * max(0.0, 1 - level / 180) ** 2.2))
    )
    size = round(radius * 2)
    return _placed(kit, ball.resize((size, size), Image.Resampling.BICUBIC), centre, near, kit.mood.light)


def _disc(kit: DrawingKit, centre: tuple[float, float], radius: float, near: float) -> Silhouette:
    size = round(radius * 2)
    disc = Image.new("L", (size * 4, size * 4))
    ImageDraw.Draw(disc).ellipse((8, 8, size * 4 - 9, size * 4 - 9), 240)
    return _placed(kit, disc.resize((size, size), Image.Resampling.LANCZOS), centre, near, kit.mood.light)


def _placed(
    kit: DrawingKit, picture: Image.Image, centre: tuple[float, float], near: float, colour: Colour
) -> Silhouette:
    """Return a small mask as a layer as wide as the canvas."""
    top = max(0, round(centre[1] - picture.height / 2) - PAD)
    bottom = min(kit.height, round(centre[1] + picture.height / 2) + PAD)
    mask = Image.new("L", (kit.width, bottom - top))
    mask.paste(picture, (round(centre[0] - picture.width / 2), round(centre[1] - picture.height / 2) - top))
    return Silhouette(mask, top, near, colour, colour)


def _stars(kit: DrawingKit, horizon: float) -> Silhouette:
    height = round(kit.height * horizon)
    mask = Image.new("L", (kit.width, height))
    draw = ImageDraw.Draw(mask)
    for _ in range(150):
        x, y = kit.random.uniform(0, kit.width), kit.random.uniform(0, height) * kit.random.uniform(0.4, 1)
        radius = kit.unit * kit.random.choice((0.0009, 0.0012, 0.0020))
        fade = 1 - y / height
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), round(kit.random.uniform(90, 240) * fade))
    return Silhouette(mask, 0, 0.03, kit.mood.light, kit.mood.light)


def _glitter(kit: DrawingKit, horizon: float, light_x: float) -> Silhouette:
    """Return the light's reflection on water: strokes that get longer and rarer towards the viewer."""
    top = round(kit.height * horizon)
    mask = Image.new("L", (kit.width, kit.height - top))
    draw = ImageDraw.Draw(mask)
    for step in range(90):
        depth = (step / 90) ** 1.6
        y = PAD + depth * (mask.height - PAD) * 0.86
        spread = kit.unit * (0.03 + 0.16 * depth)
        x = light_x * kit.width + kit.random.gauss(0, spread * 0.5)
        half = kit.unit * (0.012 + 0.05 * depth) * kit.random.uniform(0.4, 1.2)
        thick = max(1.0, kit.unit * 0.0035 * (0.4 + depth))
        draw.rounded_rectangle((x - half, y - thick / 2, x + half, y + thick / 2), thick / 2, round(150 - 80 * depth))
    return Silhouette(mask.filter(ImageFilter.GaussianBlur(1.0)), top, 0.3, kit.mood.light, kit.mood.horizon)


Block = tuple[int, int, int]
"""A building: left, right and top in canvas pixels."""


def _blocks(kit: DrawingKit, low: float, high: float, width: float) -> list[Block]:
    """Return a row of buildings whose roofs are between two heights (shares of the canvas, from the top)."""
    blocks: list[Block] = []
    x = -round(kit.unit * 0.05)
    while x < kit.width:
        wide = round(kit.unit * width * kit.random.uniform(0.7, 1.7))
        roof = round(kit.height * (low + (high - low) * kit.random.random() ** 0.8))
        blocks.append((x, x + wide, roof))
        x += wide + (round(kit.unit * 0.012) if kit.random.random() < 0.3 else 0)
    return blocks


def _skyline(kit: DrawingKit, blocks: list[Block], near: float, colours: Colours) -> Silhouette:
    top = min(roof for _, _, roof in blocks) - PAD
    mask = Image.new("L", (kit.width, kit.height - top))
    draw = ImageDraw.Draw(mask)
    for x, x_end, roof in blocks:
        draw.rectangle((x, roof - top, x_end - 1, mask.height), 255)
    return Silhouette(mask, top, near, *colours)


def _windows(kit: DrawingKit, blocks: list[Block], near: float) -> Silhouette:
    """Return some lit windows, in rows."""
    top = min(roof for _, _, roof in blocks) - PAD
    mask = Image.new("L", (kit.width, kit.height - top))
    draw = ImageDraw.Draw(mask)
    cell = kit.unit * (0.011 + 0.008 * near)
    for start, end, roof in blocks:
        columns, rows = int((end - start) / cell / 1.6) - 1, int((kit.height - roof) / cell / 2.2)
        for column in range(columns):
            for row in range(min(rows, 16)):
                if kit.random.random() < 0.24:
                    x = start + cell * (0.9 + 1.6 * column)
                    y = roof - top + cell * (1.2 + 2.2 * row)
                    draw.rectangle((x, y, x + cell * 0.7, y + cell), round(kit.random.uniform(70, 190)))
    warm = mixed(kit.mood.light, (255, 206, 130), 0.6)
    return Silhouette(mask, top, near, warm, warm)


def _shadows(kit: DrawingKit, floor: float, objects: tuple[tuple[float, float], ...]) -> Silhouette:
    """Return soft shadows under objects at these places with these widths (shares of the unit)."""
    top = round(floor - kit.unit * 0.16)
    mask = Image.new("L", (kit.width, kit.height - top))
    draw = ImageDraw.Draw(mask)
    for x, width in objects:
        half = kit.unit * width * 0.62
        x, y = x + half * 0.55, floor - top + kit.unit * 0.035
        draw.ellipse((x - half, y - half * 0.16, x + half, y + half * 0.22), 170)
    blurred = mask.filter(ImageFilter.GaussianBlur(kit.unit * 0.018))
    return Silhouette(blurred, top, 0.5, mixed(kit.mood.near, (0, 0, 0), 0.35), kit.mood.near)


@dataclass(frozen=True, slots=True)
class _Position:
    """The place of an object: the middle of its foot and its height in pixels, and how near it is."""

    x: float
    foot: float
    height: float
    near: float


def _object(kit: DrawingKit, outline: Outline, at: _Position, colours: Colours) -> Silhouette:
    """Return an object at a position, lit from the left."""
    scale = 3
    side = round(at.height)
    drawn = Image.new("L", (side * scale, side * scale))
    outline(ImageDraw.Draw(drawn), side * scale)
    picture = drawn.resize((side, side), Image.Resampling.LANCZOS)
    shape = _placed(kit, picture, (at.x, at.foot - at.height / 2), at.near, colours[0])
    ends = _stretched(colours, at.x - at.height * 0.5, at.x + at.height * 0.5, kit.width)
    return Silhouette(shape.mask, shape.top, at.near, *ends, across=True)


def _stretched(colours: Colours, first: float, last: float, width: int) -> tuple[Colour, Colour]:
    """Return the end colours of a gradient over the whole canvas that runs from one to the other within the object."""
    light, dark = colours
    slope = 1 / (last - first)
    start = tuple(round(a + (b - a) * -first * slope) for a, b in zip(light, dark, strict=True))
    end = tuple(round(a + (b - a) * (width - first) * slope) for a, b in zip(light, dark, strict=True))
    return (start[0], start[1], start[2]), (end[0], end[1], end[2])


def _arch(draw: ImageDraw.ImageDraw, side: float) -> None:
    """Draw a gate with a round head, open in the middle."""
    for inset, level in ((0.14, 255), (0.31, 0)):
        x, x_end, head = side * inset, side * (1 - inset), side * (inset - 0.12)
        draw.ellipse((x, head, x_end, head + x_end - x), level)
        draw.rectangle((x, head + (x_end - x) / 2, x_end, side), level)


def _vessel(draw: ImageDraw.ImageDraw, side: float) -> None:
    """Draw a bottle: belly, shoulder, neck, lip, as a symmetrical outline."""
    outline: list[tuple[float, float]] = []
    for step in range(61):
        y = step / 60
        belly = 0.07 + 0.17 * math.sin(math.pi * min(1.0, max(0.0, (y - 0.25) / 0.85))) ** 0.8
        radius = 0.085 if y < 0.04 else max(0.06, belly) if y > 0.22 else 0.06
        outline.append((0.5 + radius, y))
    mirrored = [(1 - x, y) for x, y in reversed(outline)]
    draw.polygon([(x * side, y * side) for x, y in (*outline, *mirrored)], 255)


def _ball(draw: ImageDraw.ImageDraw, side: float) -> None:
    draw.ellipse((2, 2, side - 3, side - 3), 255)
