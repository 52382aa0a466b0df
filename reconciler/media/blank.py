"""A plain card for a clip without a picture: not made yet, or not decodable."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageDraw

GROUND: Final = (38, 41, 46)
LINE: Final = (92, 98, 106)


def blank(side: int, shape: tuple[int, int] = (16, 9)) -> Image.Image:
    """Return a card with a picture icon on it; its longer side is `side`."""
    longer = max(shape)
    width, height = (max(2, round(side * part / longer)) for part in shape)
    card = Image.new("RGB", (width, height), GROUND)
    pictogram(ImageDraw.Draw(card), width // 2, height // 2, min(width, height) / 360)
    return card


def pictogram(draw: ImageDraw.ImageDraw, x: int, y: int, scale: float = 1.0) -> None:
    """Draw the usual picture icon, two hills and a sun, 148 pixels wide at scale 1."""

    def at(*offsets: tuple[int, int]) -> list[tuple[float, float]]:
        return [(x + dx * scale, y + dy * scale) for dx, dy in offsets]

    draw.rounded_rectangle(at((-74, -54), (74, 54)), 10 * scale, outline=LINE, width=max(1, round(4 * scale)))
    draw.polygon(at((-56, 36), (-14, -14), (14, 18), (28, 2), (56, 36)), LINE)
    draw.ellipse(at((22, -34), (42, -14)), LINE)
