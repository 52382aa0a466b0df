"""Draws a title: white words in the middle of a black frame."""

from __future__ import annotations

from typing import Final

from PIL import Image, ImageDraw

from reconciler.media.draft.type import face, wrapped

_LINES: Final = 5


def title_card(text: str, width: int, height: int) -> Image.Image:
    """Return the frame of a title."""
    size = max(10, min(width, height) // 10)
    font, step = face(size), size * 3 // 2
    lines = wrapped(text, font, width * 4 // 5, _LINES)
    image = Image.new("RGB", (width, height))
    draw, top = ImageDraw.Draw(image), (height - step * len(lines)) // 2
    for number, line in enumerate(lines):
        draw.text((width // 2, top + step * number + step // 2), line, "white", font, anchor="mm")
    return image
