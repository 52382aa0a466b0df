"""Look up picture sizes and count tokens, by the tables of `pixels.yaml`.

Tokens = width x height x (24 x seconds + 1) / 1024: one frame more than the seconds have, as replies of the owner and
of several resellers show.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from pkgutil import get_data
from typing import Any

FPS = 24

Size = tuple[int, int]
"""Width and height in pixels."""


def size_of(family: str, resolution: str, ratio: str) -> Size | None:
    """Return the size of a picture; None if the family's table does not have it."""
    return _sizes(family, resolution).get(ratio)


def sizes_of(family: str, resolution: str) -> tuple[Size, ...]:
    """Return the sizes of all ratios at a resolution; empty if the family's table does not have it."""
    return tuple(_sizes(family, resolution).values())


def tokens(size: Size, seconds: Fraction | int) -> Fraction:
    """Return the tokens of a video, or of all billed videos together. They are billed as a whole number."""
    width, height = size
    return Fraction(width * height) * (FPS * seconds + 1) / 1024


def least_billed(resolution: str | None, seconds: int) -> Fraction:
    """Return the least billed seconds for a result of so many seconds, with a video among the inputs."""
    row = _tables()["least_billed"].get(resolution)
    if row is None:
        return Fraction(0)
    billed = Fraction(row["times"]) * seconds
    return Fraction(math.ceil(billed)) if row["whole"] else billed


@cache
def _sizes(family: str, resolution: str) -> Mapping[str, Size]:
    rows = _tables()["families"].get(family, {}).get(resolution, {})
    return {ratio: (width, height) for ratio, (width, height) in rows.items()}


@cache
def _tables() -> Mapping[str, Any]:
    import yaml

    tables: Mapping[str, Any] = yaml.load(
        get_data(__package__, "pixels.yaml") or b"", getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )
    return tables
