"""Makes the two sounds of this film from nothing: `python synthesise.py`, with PyAV installed. CC0, as the sounds are.

Slow chords under a plucked melody, 42 seconds; and a fog horn, two seconds.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame

RATE = 24_000
BAR = 3.5
CHORDS = ((57, 60, 64, 69), (53, 60, 65, 69), (48, 60, 64, 67), (55, 59, 62, 67)) * 3  # A minor, F, C, G
MELODY = (76, 72, 69, 72, 77, 72, 69, 65, 76, 72, 67, 64, 74, 71, 67, 62)


def hertz(note: int) -> float:
    """Return the frequency of a MIDI note."""
    return 440 * 2 ** ((note - 69) / 12)


def add(values: array[float], start: float, tone: Iterable[float]) -> None:
    """Add a tone that begins at a second."""
    first = int(start * RATE)
    for index, value in enumerate(tone, first):
        if index < len(values):
            values[index] += value


def pad(note: int) -> Iterable[float]:
    """Yield a soft tone that swells for a bar and dies away in the next."""
    length, wide = int(2 * BAR * RATE), 2 * math.pi * hertz(note) / RATE
    for n in range(length):
        swell = math.sin(math.pi * n / length) ** 2
        yield 0.055 * swell * (math.sin(wide * n) + 0.3 * math.sin(2.003 * wide * n) + 0.1 * math.sin(3 * wide * n))


def pluck(note: int) -> Iterable[float]:
    """Yield a plucked string."""
    wide = 2 * math.pi * hertz(note) / RATE
    for n in range(int(1.6 * RATE)):
        yield (
            0.16
            * math.exp(-3.2 * n / RATE)
            * (math.sin(wide * n) + 0.25 * math.sin(2 * wide * n) * math.exp(-9 * n / RATE))
        )


def horn(seconds: float) -> Iterable[float]:
    """Yield a fog horn."""
    for n in range(int(seconds * RATE)):
        swell = min(1, n / (0.3 * RATE), (seconds * RATE - n) / (0.5 * RATE))
        wide = 2 * math.pi * 98 * n / RATE
        yield 0.5 * swell * sum(math.sin(part * wide) / part**1.3 for part in (1, 2, 3, 4, 5)) / 2


def write(path: Path, values: Sequence[float], bits: int) -> None:
    """Encode one channel as AAC."""
    with av.open(str(path), "w", format="ipod", container_options={"fflags": "+bitexact"}) as out:
        stream = out.add_stream("aac", rate=RATE, layout="mono", options={"b": str(bits)})
        for first in range(0, len(values), 1024):
            some = array("f", values[first : first + 1024])
            frame = AudioFrame(format="flt", layout="mono", samples=len(some))
            frame.planes[0].update(some.tobytes())
            frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def main() -> None:
    """Write the sounds beside this file."""
    folder, music = Path(__file__).parent, array("f", bytes(4 * int(42 * RATE)))
    for number, chord in enumerate(CHORDS):
        for note in chord:
            add(music, number * BAR, pad(note))
    for number in range(2, 44):
        add(music, number * BAR / 4, pluck(MELODY[number % len(MELODY)]))
    write(folder / "music.m4a", music, 40_000)
    write(folder / "horn.m4a", array("f", horn(2.2)), 32_000)


if __name__ == "__main__":
    main()
