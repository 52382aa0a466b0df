"""Mixes the sound of a film, of which any section can be asked for.

A piece's sound has exactly as many samples as its frames last, counted from the start of the film, so that picture and
sound cannot drift apart. What is missing is silence. Of a section only what is heard in it is decoded; where sounds are
ducked or limited, also what comes before, until the mixing desk is as if it had heard all of the film.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.media.cut import desk
from reconciler.media.cut.desk import RATE
from reconciler.media.cut.sounds import BLOCK, WIDE, Reel, bytes_of, framed, samples_of, silence
from reconciler.media.frames import opened

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

_LIMITED: Final = RATE // 4
"""Samples after which a limiter has forgotten what came before: its release takes a fifth of that."""
_DUCKED: Final = 3 * RATE
"""Samples after which a compressor has: its release falls to the e-th part in 0.4 s, so by 65 dB in this."""


def samples_at(frame: int, fps: int) -> int:
    """Return how many samples come before a frame."""
    return round(Fraction(frame * RATE, fps))


class Mix:
    """The sound of a film.

    In its order, `sounds` has its parts one after the other, each with `path`, `start`, `end` in frames, `audio`,
    `volume`, and `dissolve`: the frames that it shares with the part before it. `audio` has what is played over them,
    each with `path`, `first` (sample), `gain`, `duck`, `fade` and `loop`. Sections are read in the order in which they
    are heard; another one reads the files again.
    """

    def __init__(self, order: Mapping[str, Any]) -> None:
        self._fps, self._parts = order["fps"], order["sounds"]
        self._begins: list[int] = []
        position = 0
        for part in self._parts:
            self._begins.append(position - part["dissolve"])
            position = self._begins[-1] + part["end"] - part["start"]
        self.samples = samples_at(position, self._fps)
        self._reels = [Reel(one, self.samples) for one in order.get("audio", ())]
        self._is_low = not self._reels and all(float(part.get("volume", 1)) <= 1 for part in self._parts)

    def content(self, first: int, last: int, gain: str | None) -> list[object]:
        """Return what decides the samples of a section: equal content is equal sound."""
        first, last = self._around(first, last, gain)
        parts = [[samples_at(begins, self._fps) - first, *_content(part)] for begins, part in self._heard(first, last)]
        if gain in (None, "0") and self._is_low:
            return [self._fps, last - first, parts]
        return [self._fps, last - first, parts, gain, [reel.content(first) for reel in self._played(first, last)]]

    def section(self, first: int, last: int, gain: str | None) -> Iterator[AudioFrame]:
        """Yield the samples from `first` to `last` in blocks, louder by `gain` decibels. What was made louder or added
        up is kept below full scale, except without a gain."""
        begin, end = self._around(first, last, gain)
        blocks = self._mixed(begin, end)
        if self._is_limited(gain):
            blocks = desk.limited(blocks, gain or "0")
        return framed(_exactly(_behind(map(bytes_of, blocks), (first - begin) * WIDE), (last - first) * WIDE), first)

    def _is_limited(self, gain: str | None) -> bool:
        return gain is not None and not (gain == "0" and self._is_low)

    def _around(self, first: int, last: int, gain: str | None) -> tuple[int, int]:
        """Return the section that has to be mixed; the limiter also looks ahead, by less than a block."""
        is_limited = self._is_limited(gain)
        before = _DUCKED if any(reel.ducked for reel in self._reels) else _LIMITED if is_limited else 0
        return max(0, first - before), min(self.samples, last + BLOCK * is_limited)

    def _heard(self, first: int, last: int) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield the parts that are heard from a sample to another one, each with the frame at which it begins."""
        for begins, part in zip(self._begins, self._parts, strict=True):
            ends = begins + part["end"] - part["start"]
            if samples_at(begins, self._fps) < last and samples_at(ends, self._fps) > first:
                yield begins, part

    def _mixed(self, first: int, last: int) -> Iterator[AudioFrame]:
        some = list(self._heard(first, last))
        begins, parts = some[0][0], [part for _, part in some]
        data = _faded(parts, self._fps, begins + parts[0]["dissolve"])
        before = (first - samples_at(begins, self._fps)) * WIDE
        own = framed(_exactly(_behind(data, before), (last - first) * WIDE), first)
        reels = self._played(first, last)
        tracks = [desk.Track(framed(reel.read(first, last), first), reel.steps, reel.ducked) for reel in reels]
        return framed(map(bytes_of, desk.mixed(own, tracks)), first) if tracks else own

    def _played(self, first: int, last: int) -> Sequence[Reel]:
        return [reel for reel in self._reels if reel.first < last and first < reel.until]


def _content(part: Mapping[str, Any]) -> list[object]:
    """Return what a part's samples are made from: its video by content, else (a title) nothing that is heard."""
    source = part.get("sha256") or part.get("path") if part["audio"] else None
    return [source, part["start"], part["end"], part["dissolve"], part.get("volume", "1")]


def _behind(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the blocks without their first `size` bytes."""
    for block in blocks:
        yield block[size:]
        size -= min(size, len(block))


def _faded(parts: Sequence[Mapping[str, Any]], fps: int, position: int) -> Iterator[bytes]:
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
    yield from silence(size)


def _decoded(part: Mapping[str, Any], fps: int) -> Iterator[bytes]:
    """Yield the samples of a video's sound from the part's start on."""
    skipped = samples_at(part["start"], fps) * WIDE
    with opened(Path(part["path"])) as container:
        for block in samples_of(container, part.get("volume", "1")):
            if skipped < len(block):
                yield block[skipped:]
            skipped -= min(skipped, len(block))
