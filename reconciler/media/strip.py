"""A row of posters as one picture, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps

TILE: Final = (384, 216)
"""Pixels of one poster."""
GAP: Final = 16
"""Pixels on its right."""


def strip(posters: Sequence[Path]) -> Image.Image:
    """Return the posters side by side, each within its tile."""
    sheet = Image.new("RGB", ((TILE[0] + GAP) * len(posters), TILE[1]))
    for number, path in enumerate(posters):
        with Image.open(path) as poster:
            sheet.paste(ImageOps.contain(poster.convert("RGB"), TILE), ((TILE[0] + GAP) * number, 0))
    return sheet
