"""Fingerprints of pictures: equal or nearly equal for the same picture at another size, rate or quality.

Each is a difference hash of three values: the frame is scaled to 17 by 16 grey pixels, and 256 signs say whether a
pixel is darker or lighter than its right neighbour, or as light. It survives scaling and compression, not cropping or
mirroring. Two values are too few: where a sky or the ground of a title is even, they are equal for all such pictures.

To be called in a worker (`DraftRenderer.run(fingerprints, video)`): it decodes bytes from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Final

from reconciler.diagnostics import MediaError
from reconciler.media.frames import opened

PARTS: Final = 256
"""The distance between two pictures whose signs differ wherever one of them has one."""
FRAMES: Final = 5
"""Fingerprints that represent a video."""
LIMIT: Final = 40
"""The largest distance of the same picture, of 256."""

_WIDTH, _HEIGHT = 17, 16
_MOST: Final = 20_000
"""Frames of a video that are read: eleven minutes at 30 a second."""
_STEP: Final = 3
"""Levels of grey from which on a difference counts."""
_SIGNS: Final = 40
"""With fewer differences a frame is plain, and like every other one."""


def fingerprints(video: str) -> list[str]:
    """Return the fingerprint of each frame, as hex; "" for a plain frame. Raises MediaError for what is not a video."""
    with opened(Path(video)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"  # a worker has one core
        frames = islice(container.decode(stream), _MOST)
        small = (frame.reformat(_WIDTH, _HEIGHT, format="gray", interpolation="AREA").planes[0] for frame in frames)
        marks = [_mark(bytes(plane), plane.line_size) for plane in small]
    if not marks:
        raise MediaError(f"no frame of {Path(video).name} can be decoded", code="input")
    return marks


def _mark(pixels: bytes, line: int) -> str:
    rows = [pixels[y * line : y * line + _WIDTH] for y in range(_HEIGHT)]
    steps = [right - pixel for row in rows for pixel, right in pairwise(row)]
    signs = [step >= _STEP for step in steps] + [step <= -_STEP for step in steps]
    if sum(signs) < _SIGNS:
        return ""
    return f"{int(''.join('01'[sign] for sign in signs), 2):0128x}"


def representative(marks: Sequence[str]) -> list[str]:
    """Return the fingerprints that represent a video: of frames that are evenly spread, without the plain ones."""
    rich = [mark for mark in marks if mark]
    return [rich[(2 * number + 1) * len(rich) // (2 * FRAMES)] for number in range(FRAMES)] if rich else []


def distance(few: Sequence[str], marks: Sequence[str]) -> int | None:
    """Return which part of 256 differs between the frames that represent a video and those of another that are most
    like them: the median of these, because a cut may have taken some away. None without pictures."""
    frames = {int(mark, 16) for mark in marks if mark}
    if not frames or not few:
        return None
    nearest = sorted(min(_apart(int(mark, 16), frame) for frame in frames) for mark in few)
    return nearest[len(nearest) // 2]


def _apart(one: int, other: int) -> int:
    """Return which part of the signs of two pictures differs."""
    return PARTS * (one ^ other).bit_count() // (one.bit_count() + other.bit_count())
