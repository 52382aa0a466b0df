"""Sounds to put under a film, and what is heard of one."""

from __future__ import annotations

import math
import wave
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path

from av.audio.frame import AudioFrame

from reconciler.media.cut import desk
from tests.media.cut.numbered import RATE


def music(path: Path, seconds: float, hertz: float = 220, level: float = 0.5, rate: int = 44_100) -> Path:
    """Write a WAV file with a tone in one channel."""
    wide = 2 * math.pi * hertz / rate
    values = array("h", (int(32767 * level * math.sin(wide * n)) for n in range(int(seconds * rate))))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(values.tobytes())
    return path


def left(blocks: Iterable[AudioFrame]) -> array[float]:
    """Return the left channel of a sound in blocks."""
    values = array("f")
    for block in blocks:
        values.frombytes(bytes(block.planes[0])[: block.samples * 8])
    return values[::2]


def level(values: Sequence[float], start: float, end: float, hertz: float) -> float:
    """Return the amplitude of a tone in some seconds of a sound."""
    some = values[int(start * RATE) : int(end * RATE) : 4]
    wide = 2 * math.pi * hertz * 4 / RATE
    across = sum(value * math.sin(wide * n) for n, value in enumerate(some))
    along = sum(value * math.cos(wide * n) for n, value in enumerate(some))
    return 2 * math.hypot(across, along) / len(some)


def integrated(blocks: Iterable[AudioFrame]) -> float:
    """Return the loudness of a whole sound in LUFS, as FFmpeg measures it in one go."""
    blocks = desk.through(blocks, ("ebur128", "metadata=1"))
    *_, last = (block.metadata["lavfi.r128.I"] for block in blocks if block.samples == desk.HOP)
    return float(last)
