"""Fingerprints of pictures: equal or nearly equal for the same picture at another size, rate or quality.

Each is a difference hash: the frame is scaled to 17 by 16 grey pixels, and each of 256 bits says whether a pixel is
darker than its right neighbour. It survives scaling and compression, not cropping or mirroring.

To be called in a worker (`DraftRenderer.run(fingerprints, video)`): it decodes bytes from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from reconciler.diagnostics import MediaError
from reconciler.media.frames import opened

BITS: Final = 256
FRAMES: Final = 5
"""Fingerprints that represent a video."""
LIMIT: Final = 40
"""Bits of 256 that may differ in the same picture; `distance` says how they are counted."""

_WIDTH, _HEIGHT = 17, 16
_MOST: Final = 20_000
"""Frames of a video that are read: eleven minutes at 30 a second."""
_CONTRAST: Final = 24
"""Levels of grey between the lightest and the darkest pixel; with fewer a frame is plain, and like every other one."""


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
    if max(map(max, rows)) - min(map(min, rows)) < _CONTRAST:
        return ""
    bits = "".join("1" if row[x] < row[x + 1] else "0" for row in rows for x in range(_WIDTH - 1))
    return f"{int(bits, 2):064x}"


def representative(marks: Sequence[str]) -> list[str]:
    """Return the fingerprints that represent a video: of frames that are evenly spread, without the plain ones."""
    rich = [mark for mark in marks if mark]
    return [rich[(2 * number + 1) * len(rich) // (2 * FRAMES)] for number in range(FRAMES)] if rich else []


def distance(few: Sequence[str], marks: Sequence[str]) -> int | None:
    """Return how many bits differ between the frames that represent a video and those of another that are most like
    them: the median of these, because a cut may have taken some away. None without pictures."""
    frames = {int(mark, 16) for mark in marks if mark}
    if not frames or not few:
        return None
    nearest = sorted(min((int(mark, 16) ^ frame).bit_count() for frame in frames) for mark in few)
    return nearest[len(nearest) // 2]
