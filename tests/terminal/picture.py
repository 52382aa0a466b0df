"""A screen as a picture, cell by cell, so that what people see can be looked at."""

from __future__ import annotations

import os
from pathlib import Path

import pyte
from PIL import Image, ImageDraw, ImageFont

OUTPUT = Path(__file__).parents[1] / ".output" / "terminal"
_WIDE = Path(__file__).parents[2] / "reconciler" / "media" / "fonts" / "noto-sans-sc-400.woff2"
_CELL = (9, 18)
_SIZE = 15
_GROUND, _TEXT = "#1b1d22", "#d6d8dc"
_COLOURS = {
    "default": _TEXT,
    "red": "#f0716b",
    "green": "#7ec97f",
    "brown": "#e0b45c",
    "yellow": "#e0b45c",
    "blue": "#6ea8ef",
    "magenta": "#c58bea",
    "cyan": "#5fc4c8",
    "brightblack": "#8b9099",
}


def _narrow() -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    for name in ("DejaVuSansMono.ttf", "LiberationMono-Regular.ttf", "Menlo.ttc"):
        try:
            return ImageFont.truetype(name, _SIZE)
        except OSError:
            continue
    return ImageFont.load_default(_SIZE)


def draw(screen: pyte.Screen, name: str) -> None:
    """Write `OUTPUT/name.png` if pictures are asked for by CLIPFORM_PICTURES: each takes as long as the test."""
    if "CLIPFORM_PICTURES" not in os.environ:
        return
    narrow, wide = _narrow(), ImageFont.truetype(str(_WIDE), _SIZE)
    rows = max((i for i, line in enumerate(screen.display) if line.strip()), default=0) + 2
    image = Image.new("RGB", ((screen.columns + 2) * _CELL[0], (rows + 1) * _CELL[1]), _GROUND)
    pen = ImageDraw.Draw(image)
    for y in range(min(rows, screen.lines)):
        for x in range(screen.columns):
            cell = screen.buffer[y][x]
            _cell(pen, cell, x + 1, y, wide if cell.data and ord(cell.data[0]) >= 0x2E80 else narrow)
    edge = (screen.columns + 1) * _CELL[0]
    pen.line([(edge, 0), (edge, image.height)], fill="#3a3d45")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    image.save(OUTPUT / f"{name}.png")


def _cell(pen: ImageDraw.ImageDraw, cell: pyte.screens.Char, x: int, y: int, font: ImageFont.FreeTypeFont) -> None:
    if not cell.data.strip():
        return
    fill = _COLOURS.get(cell.fg, f"#{cell.fg}" if len(cell.fg) == 6 else _TEXT)
    place = (x * _CELL[0], y * _CELL[1] + _CELL[1] // 2)
    pen.text(place, cell.data, fill=fill, font=font, anchor="lm")
    if cell.bold:
        pen.text((place[0] + 0.6, place[1]), cell.data, fill=fill, font=font, anchor="lm")
    if cell.underscore or cell.strikethrough:
        line = place[1] + (8 if cell.underscore else 0)
        pen.line([(place[0], line), (place[0] + _CELL[0], line)], fill=fill)
