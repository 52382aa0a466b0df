"""Yields the sound of a whole film in one go: encoded once, there is no gap at a seam.

A piece's sound has exactly as many samples as its frames last, counted from the start of the film, so that picture and
sound cannot drift apart. What is missing is silence. Nothing is kept but some blocks, however long the film is.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
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


def samples_at(frame: int, fps: int) -> int:
    """Return how many samples come before a frame."""
    return round(Fraction(frame * RATE, fps))


def sound(order: Mapping[str, Any]) -> Iterator[AudioFrame]:
    """Yield the sound of a film in blocks.

    `sounds` has its parts one after the other, each with `path`, `start`, `end` in frames, `audio`, `volume`, and
    `dissolve`: the frames that it shares with the part before it. `audio` has what is played over them, each with
    `path`, `first` (sample), `gain`, `duck`, `fade` and `loop`. `loudness` is in LUFS.
    """
    if order.get("loudness") is None:
        return _levelled(order, "0")
    return _levelled(order, desk.gain_for(_mixed(order), order["loudness"]))


def is_plain(order: Mapping[str, Any]) -> bool:
    """True if every sample of a film depends on the parts alone that are heard then: nothing is measured or limited."""
    is_low = all(float(part.get("volume", 1)) <= 1 for part in order["sounds"])
    return not order.get("audio") and order.get("loudness") is None and is_low


def spans(order: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return the frames of the film at which each part begins and ends."""
    listed, position = [], 0
    for part in order["sounds"]:
        begins = position - part["dissolve"]
        position = begins + part["end"] - part["start"]
        listed.append((begins, position))
    return listed


def heard(order: Mapping[str, Any], first: int, last: int) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the parts of a film that are heard from a sample to another one, each with the frame at which it begins."""
    for part, (begins, ends) in zip(order["sounds"], spans(order), strict=True):
        if samples_at(begins, order["fps"]) < last and samples_at(ends, order["fps"]) > first:
            yield begins, part


def plain_sound(order: Mapping[str, Any], first: int, last: int) -> Iterator[AudioFrame]:
    """Yield the samples from `first` to `last` of a film that is plain, in blocks. No other part is decoded."""
    some = list(heard(order, first, last))
    begins, parts = some[0][0], [part for _, part in some]
    before = (first - samples_at(begins, order["fps"])) * WIDE
    data = _faded(parts, order["fps"], begins + parts[0]["dissolve"])
    return _framed(_exactly(_behind(data, before), (last - first) * WIDE))


def _behind(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the blocks without their first `size` bytes."""
    for block in blocks:
        yield block[size:]
        size -= min(size, len(block))


def _levelled(order: Mapping[str, Any], gain: str) -> Iterator[AudioFrame]:
    """Yield the mix, louder by `gain` decibels; what was made louder or added up is kept below full scale."""
    return (
        _mixed(order)
        if gain == "0" and is_plain({**order, "loudness": None})
        else _framed(map(_bytes, desk.limited(_mixed(order), gain)))
    )


def _mixed(order: Mapping[str, Any]) -> Iterator[AudioFrame]:
    parts, extra, fps = order["sounds"], order.get("audio", ()), order["fps"]
    own = _framed(_faded(parts, fps))
    if not extra:
        return own
    total = samples_at(sum(part["end"] - part["start"] - part["dissolve"] for part in parts), fps)
    tracks = [desk.Track(_framed(_played(one, total)), *desk.steps(one, _last(one, total))) for one in extra]
    return _framed(map(_bytes, desk.mixed(own, tracks)))


def _framed(data: Iterable[bytes]) -> Iterator[AudioFrame]:
    """Yield the same sound in blocks."""
    waiting, first = bytearray(), 0
    for some in data:
        waiting += some
        while len(waiting) >= BLOCK * WIDE:
            yield _frame(bytes(waiting[: BLOCK * WIDE]), first)
            del waiting[: BLOCK * WIDE]
            first += BLOCK
    if waiting:
        yield _frame(bytes(waiting), first)


def _faded(parts: Sequence[Mapping[str, Any]], fps: int, position: int = 0) -> Iterator[bytes]:
    """Yield the sound of all parts; where two are shown together, the first fades into the second. `position` is the
    frame at which the film is cut off before them."""
    ending = bytearray()
    for number, part in enumerate(parts):
        position -= part["dissolve"]
        begins, position = position, position + part["end"] - part["start"]
        begin, end = samples_at(begins, fps), samples_at(position, fps)
        shared = parts[number + 1]["dissolve"] if number + 1 < len(parts) else 0
        alone = (samples_at(position - shared, fps) - begin) * WIDE
        offset, head, before, lead = 0, bytearray(), ending, len(ending)
        ending = bytearray()
        for data in _exactly(_decoded(part, fps) if part["audio"] else iter(()), (end - begin) * WIDE):
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


def _exactly(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield `size` bytes: the blocks, cut off or with silence behind them."""
    for block in blocks:
        yield block[:size]
        size -= len(block[:size])
        if not size:
            return
    yield from _silence(size)


def _silence(size: int) -> Iterator[bytes]:
    while size > 0:
        yield bytes(min(size, BLOCK * WIDE))
        size -= BLOCK * WIDE


def _decoded(part: Mapping[str, Any], fps: int) -> Iterator[bytes]:
    """Yield the samples of a video's sound from the part's start on."""
    skipped = samples_at(part["start"], fps) * WIDE
    with opened(Path(part["path"])) as container:
        for block in _samples(container, part.get("volume", "1")):
            if skipped < len(block):
                yield block[skipped:]
            skipped -= min(skipped, len(block))


def _played(one: Mapping[str, Any], total: int) -> Iterator[bytes]:
    """Yield what is played over the film, as long as the film: silence, the file, silence."""
    return _exactly(chain(_silence(one["first"] * WIDE), _repeated(one)), total * WIDE)


def _repeated(one: Mapping[str, Any]) -> Iterator[bytes]:
    is_heard = True
    while is_heard:
        is_heard = False
        with opened(Path(one["path"]), demuxer=_demuxer(one["path"]), track="audio") as container:
            for block in _samples(container, "1"):
                is_heard = True
                yield block
        is_heard = is_heard and one["loop"]


def length_of(path: str) -> float:
    """Return how many seconds a sound lasts, as its header says. Raises MediaError."""
    with opened(Path(path), demuxer=_demuxer(path), track="audio") as container:
        return (container.duration or 0) / 1_000_000


def _last(one: Mapping[str, Any], total: int) -> int:
    """Return the sample at which a sound ends: with its file, or with the film."""
    return total if one["loop"] else min(total, one["first"] + round(length_of(one["path"]) * RATE))


def _demuxer(path: str) -> str:
    with Path(path).open("rb") as file:
        kind = type_of(file.read(HEAD))
    return _DEMUXERS.get(kind.format, "mov") if kind else "mov"


def _samples(container: InputContainer, volume: str) -> Iterator[bytes]:
    stream = container.streams.audio[0]
    decoded = _resampled(container.decode(stream))
    if stream.codec_context.layout.nb_channels == 1:  # of which FFmpeg makes two that are quieter
        volume = str(float(volume) * 2**0.5)
    return map(_bytes, desk.through(decoded, ("volume", volume)) if volume != "1" else decoded)


def _resampled(frames: Iterable[AudioFrame]) -> Iterator[AudioFrame]:
    resampler, is_first = AudioResampler(format="flt", layout="stereo", rate=RATE), True
    for frame in frames:
        if is_first and frame.time:  # the sound begins later than the picture
            yield from _framed(_silence(max(0, round(frame.time * RATE)) * WIDE))
        is_first = False
        yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _bytes(frame: AudioFrame) -> bytes:
    return bytes(frame.planes[0])[: frame.samples * WIDE]


def _frame(data: bytes, first: int) -> AudioFrame:
    frame = AudioFrame(format="flt", layout="stereo", samples=len(data) // WIDE)
    frame.planes[0].update(data)
    frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
    return frame
