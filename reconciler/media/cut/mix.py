"""Yields the sound of a whole film in one go: encoded once, there is no gap at a seam.

A piece's sound has exactly as many samples as its frames last, counted from the start of the film, so that picture and
sound cannot drift apart. What is missing is silence.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from reconciler.media.frames import opened

if TYPE_CHECKING:
    from av.container import InputContainer

RATE: Final = 48_000
BLOCK: Final = 1024  # samples of a block
_WIDE: Final = 8  # bytes of a sample: two channels


def samples_at(frame: int, fps: int) -> int:
    """Return how many samples come before a frame."""
    return round(Fraction(frame * RATE, fps))


def sound(parts: Sequence[Mapping[str, Any]], fps: int) -> Iterator[AudioFrame]:
    """Yield the sound of the parts one after the other, in blocks. A part has `path`, `start`, `end` in frames,
    `audio`, and `dissolve`: the frames that it shares with the part before it."""
    waiting, first = bytearray(), 0
    for data in _faded(parts, fps):
        waiting += data
        while len(waiting) >= BLOCK * _WIDE:
            yield _frame(bytes(waiting[: BLOCK * _WIDE]), first)
            del waiting[: BLOCK * _WIDE]
            first += BLOCK
    if waiting:
        yield _frame(bytes(waiting), first)


def _faded(parts: Sequence[Mapping[str, Any]], fps: int) -> Iterator[bytes]:
    """Yield the sound of all parts; where two are shown together, the first fades into the second."""
    position, ending = 0, bytearray()
    for number, part in enumerate(parts):
        position -= part["dissolve"]
        begins, position = position, position + part["end"] - part["start"]
        begin, end = samples_at(begins, fps), samples_at(position, fps)
        shared = parts[number + 1]["dissolve"] if number + 1 < len(parts) else 0
        alone = (samples_at(position - shared, fps) - begin) * _WIDE
        offset, head, before, lead = 0, bytearray(), ending, len(ending)
        ending = bytearray()
        for data in _exactly(_decoded(part, fps) if part["audio"] else iter(()), (end - begin) * _WIDE):
            if offset < lead:
                head += data[: lead - offset]
                if len(head) == lead:
                    yield _crossfaded(before, head)
            yield data[max(0, lead - offset) : max(0, alone - offset)]
            ending += data[max(0, alone - offset) :]
            offset += len(data)


def _crossfaded(old: bytearray, new: bytearray) -> bytes:
    """Return two sounds of one length, the first of which fades out while the second fades in."""
    before, after = array("f", bytes(old)), array("f", bytes(new))
    return array(
        "f", (a + (b - a) * n / len(before) for n, (a, b) in enumerate(zip(before, after, strict=True)))
    ).tobytes()


def _exactly(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield `size` bytes: the blocks, cut off or with silence behind them."""
    for block in blocks:
        yield block[:size]
        size -= len(block[:size])
        if not size:
            return
    while size:
        silence = bytes(min(size, BLOCK * _WIDE))
        yield silence
        size -= len(silence)


def _decoded(part: Mapping[str, Any], fps: int) -> Iterator[bytes]:
    """Yield the samples of a file's sound from the part's start on."""
    skipped = samples_at(part["start"], fps) * _WIDE
    with opened(Path(part["path"])) as container:
        for block in _samples(container):
            if skipped < len(block):
                yield block[skipped:]
            skipped -= min(skipped, len(block))


def _samples(container: InputContainer) -> Iterator[bytes]:
    resampler, stream = AudioResampler(format="flt", layout="stereo", rate=RATE), container.streams.audio[0]
    is_first = True
    for frame in container.decode(stream):
        if is_first and frame.time:  # the sound begins later than the picture
            yield bytes(max(0, round(frame.time * RATE)) * _WIDE)
        is_first = False
        yield from map(_bytes, resampler.resample(frame))
    yield from map(_bytes, resampler.resample(None))


def _bytes(frame: AudioFrame) -> bytes:
    return bytes(frame.planes[0])[: frame.samples * _WIDE]


def _frame(data: bytes, first: int) -> AudioFrame:
    frame = AudioFrame(format="flt", layout="stereo", samples=len(data) // _WIDE)
    frame.planes[0].update(data)
    frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
    return frame
