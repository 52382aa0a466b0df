"""Reads the sound of files: of videos, and of what is played over a film."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from reconciler.media.cut import desk
from reconciler.media.cut.desk import RATE
from reconciler.media.frames import opened
from reconciler.media.headers import DEMUXERS, HEAD, type_of

if TYPE_CHECKING:
    from av.container import InputContainer

BLOCK: Final = 1024  # samples of a block, as of a packet of AAC
WIDE: Final = 8  # bytes of a sample: two channels
_DEMUXERS: Final = {**DEMUXERS, "flac": "flac", "ogg": "ogg"}
_SLACK: Final = 0.1
"""Seconds by which a decoder may yield more than the packets say."""
_BEHIND: Final = 30 * RATE
"""Samples that are not forgotten: a film is measured first, and then encoded."""
_QUIET: Final = bytes(BLOCK * WIDE)


class Reel:
    """A sound that is played over a film, from its `first` sample on: its filters, and the share of it that can be
    ducked. Nothing of it is heard from sample `until` on. It is decoded once for all sections that are read one behind
    the other."""

    def __init__(self, one: Mapping[str, Any], total: int) -> None:
        self._one, self.first = one, one["first"]
        self._last = total if one["loop"] else min(total, self.first + round(length_of(one["path"]) * RATE))
        self.until = total if one["loop"] else self.first + round((_end_of(one["path"]) + _SLACK) * RATE)
        self.steps, self.ducked = desk.steps(one, self._last)
        self._rewind()

    def content(self, first: int) -> list[object]:
        """Return what decides the samples from `first` on."""
        values = [self._one[name] for name in ("gain", "duck", "fade", "loop")]
        return [self._one.get("sha256") or self._one["path"], self.first - first, self._last - first, *values]

    def read(self, first: int, last: int) -> Iterator[bytes]:
        """Yield the samples of a section: silence, the file, silence."""
        if first < self._position:
            self._rewind()
        size = (last - first) * WIDE
        while self._position + len(self._read) // WIDE < last and (block := next(self._blocks, None)) is not None:
            self._read += block
            outside = min(len(self._read), max(0, first - _BEHIND - self._position) * WIDE)
            del self._read[:outside]
            self._position += outside // WIDE
        some = bytes(self._read[(first - self._position) * WIDE :][:size])
        return chain([some], silence(size - len(some)))

    def _rewind(self) -> None:
        self._position, self._read = 0, bytearray()
        self._blocks = chain(silence(self.first * WIDE), self._played())

    def _played(self) -> Iterator[bytes]:
        is_heard = True
        while is_heard:
            is_heard = False
            with opened(Path(self._one["path"]), demuxer=_demuxer(self._one["path"]), track="audio") as container:
                for block in samples_of(container, "1"):
                    is_heard = True
                    yield block
            is_heard = is_heard and self._one["loop"]


def length_of(path: str) -> float:
    """Return how many seconds a sound lasts, as its header says. Raises MediaError."""
    with opened(Path(path), demuxer=_demuxer(path), track="audio") as container:
        return (container.duration or 0) / 1_000_000


def _end_of(path: str) -> float:
    """Return the second at which the last packet of a sound ends. Of an mp3, the header may only guess its length."""
    with opened(Path(path), demuxer=_demuxer(path), track="audio") as container:
        stream = container.streams.audio[0]
        ends = ((packet.pts or 0) + (packet.duration or 0) for packet in container.demux(stream) if packet.size)
        return float(max(ends, default=0) * (stream.time_base or 0))


def _demuxer(path: str) -> str:
    with Path(path).open("rb") as file:
        kind = type_of(file.read(HEAD))
    return _DEMUXERS.get(kind.format, "mov") if kind else "mov"


def samples_of(container: InputContainer, volume: str) -> Iterator[bytes]:
    """Yield the sound of a file in two channels, `volume` times as loud."""
    stream = container.streams.audio[0]
    decoded = _resampled(container.decode(stream))
    if stream.codec_context.layout.nb_channels == 1:  # of which FFmpeg makes two that are quieter
        volume = str(float(volume) * 2**0.5)
    return map(bytes_of, desk.through(decoded, ("volume", volume)) if volume != "1" else decoded)


def _resampled(frames: Iterable[AudioFrame]) -> Iterator[AudioFrame]:
    resampler, is_first = AudioResampler(format="flt", layout="stereo", rate=RATE), True
    for frame in frames:
        if is_first and frame.time:  # the sound begins later than the picture
            yield from framed(silence(max(0, round(frame.time * RATE)) * WIDE), 0)
        is_first = False
        yield from resampler.resample(frame)
    yield from resampler.resample(None)


def framed(data: Iterable[bytes], first: int) -> Iterator[AudioFrame]:
    """Yield the same sound in blocks; `first` is its first sample in the film."""
    waiting = bytearray()
    for some in data:
        waiting += some
        while len(waiting) >= BLOCK * WIDE:
            yield _frame(bytes(waiting[: BLOCK * WIDE]), first)
            del waiting[: BLOCK * WIDE]
            first += BLOCK
    if waiting:
        yield _frame(bytes(waiting), first)


def bytes_of(frame: AudioFrame) -> bytes:
    """Return the samples of a block."""
    return bytes(frame.planes[0])[: frame.samples * WIDE]


def silence(size: int) -> Iterator[bytes]:
    """Yield so many bytes of silence."""
    while size > 0:
        yield _QUIET[:size]
        size -= len(_QUIET)


def _frame(data: bytes, first: int) -> AudioFrame:
    frame = AudioFrame(format="flt", layout="stereo", samples=len(data) // WIDE)
    frame.planes[0].update(data)
    frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
    return frame
