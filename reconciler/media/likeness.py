"""How alike two frames are, for a seam whose other side has changed.

To be called in a worker: it decodes bytes from outside.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from reconciler.media.frames import read_frame

_SIDE, _BLOCK = 128, 8
_STEADY: Final = (6.5025, 58.5225)  # (0.01 · 255)² and (0.03 · 255)², as in the paper on SSIM


def likeness(first: str, second: str, which: str) -> float:
    """Return the structural similarity (SSIM) of the `first_frame` or `last_frame` of two videos: 1 for equal ones.
    Raises MediaError.

    It is the mean over blocks of 8 by 8 pixels of the grey pictures, both scaled to 128 by 128.
    """
    size = (_SIDE, _SIDE)
    one, other = (read_frame(Path(video), which).convert("L").resize(size).tobytes() for video in (first, second))
    starts = range(0, _SIDE, _BLOCK)
    values = [_of_block(_block(one, x, y), _block(other, x, y)) for x in starts for y in starts]
    return round(sum(values) / len(values), 2)


def _block(pixels: bytes, left: int, top: int) -> bytes:
    rows = (top * _SIDE + left + row * _SIDE for row in range(_BLOCK))
    return b"".join(pixels[start : start + _BLOCK] for start in rows)


def _of_block(one: bytes, other: bytes) -> float:
    count = len(one)
    mean, mean_other = sum(one) / count, sum(other) / count
    spread = sum(value * value for value in one) / count - mean * mean
    spread_other = sum(value * value for value in other) / count - mean_other * mean_other
    common = sum(a * b for a, b in zip(one, other, strict=True)) / count - mean * mean_other
    light, contrast = _STEADY
    shared = (2 * mean * mean_other + light) * (2 * common + contrast)
    return shared / ((mean * mean + mean_other * mean_other + light) * (spread + spread_other + contrast))
