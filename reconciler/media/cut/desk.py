"""The mixing desk: FFmpeg's filters for levels, fades, ducking and loudness.

- **Ducking** compresses a sound by the clips' own: while these are heard it is quieter, by at most what `duck` says.
- **Loudness** is that of the whole film (EBU R128), which gets one gain, in steps of half a decibel: so a film with one
  other shot mostly has the same gain, and its sound is the same beside that shot. R128 takes the mean of blocks of
  400 ms, so a film is measured in sections, and what was measured of one is valid while that is heard. Rejected:
  loudnorm, which changes the gain within the film and resamples to 192 kHz.
- **Peaks** above -1 dB of full scale are limited, wherever sounds were added up or made louder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import count
from math import fsum, log10
from typing import TYPE_CHECKING, Any, Final

import av
from av.filter import Graph

from reconciler.frozen import dataclass

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.filter.context import FilterContext

RATE: Final = 48_000
_FORM: Final = ("aformat", "sample_fmts=flt:sample_rates=48000:channel_layouts=stereo")
_PEAK: Final = "alimiter", "limit=0.891:attack=5:release=50:level=0:latency=1"
_DUCK: Final = "threshold=0.01:ratio=20:attack=20:release=400:detection=rms"
_STEP: Final = Decimal("0.5")
_SILENT: Final = -70.0  # LUFS, of R128: a quieter block does not count
_QUIET: Final = 0.1  # as does one of less than this share of the mean power, 10 LU below
HOP: Final = RATE // 10
"""Samples from one measured block to the next."""

Step = tuple[str, str]
"""A filter and its options."""


@dataclass(frozen=True, slots=True)
class Track:
    """A sound that is played over the clips' own: its blocks, its filters, and the share of it that can be ducked."""

    frames: Iterator[AudioFrame]
    steps: Sequence[Step]
    ducked: float


def steps(one: Mapping[str, Any], last: int) -> tuple[Sequence[Step], float]:
    """Return the filters of a sound that ends at sample `last`, and by which share of it ducking makes it quieter."""
    filters: list[Step] = [("volume", f"{one['gain']}dB")]
    lead, tail = (round(Fraction(seconds) * RATE) for seconds in one["fade"])
    if lead:
        filters.append(("afade", f"t=in:ss={one['first']}:ns={lead}"))
    if tail:
        filters.append(("afade", f"t=out:ss={max(0, last - tail)}:ns={tail}"))
    return filters, 1 - 10 ** (float(one["duck"]) / 20)


def mixed(own: Iterator[AudioFrame], tracks: Sequence[Track]) -> Iterator[AudioFrame]:
    """Yield the clips' own sound with all tracks over it, which are as long and come in equal blocks."""
    graph, ducked = Graph(), [track for track in tracks if track.ducked]
    sources = [_source(graph) for _ in (own, *tracks)]
    split, mix = graph.add("asplit", str(1 + len(ducked))), graph.add("amix", f"inputs={len(sources)}:normalize=0")
    sources[0].link_to(split)
    split.link_to(mix, 0, 0)
    keys = count(1)
    for number, (source, track) in enumerate(zip(sources[1:], tracks, strict=True), 1):
        last = _linked(graph, source, track.steps)
        if track.ducked:
            compressor = graph.add("sidechaincompress", f"{_DUCK}:mix={track.ducked:.6f}")
            last.link_to(compressor, 0, 0)
            split.link_to(compressor, next(keys), 1)
            last = compressor
        last.link_to(mix, 0, number)
    sink = graph.add("abuffersink")
    _linked(graph, mix, [_FORM]).link_to(sink)
    graph.configure()
    for frames in zip(own, *(track.frames for track in tracks), strict=True):
        for source, frame in zip(sources, frames, strict=True):
            source.push(frame)
        yield from _pulled(sink)
    for source in sources:
        source.push(None)
    yield from _pulled(sink)


def through(frames: Iterable[AudioFrame], *filters: Step) -> Iterator[AudioFrame]:
    """Yield a sound that has gone through filters."""
    graph = Graph()
    source, sink = _source(graph), graph.add("abuffersink")
    _linked(graph, source, [*filters, _FORM]).link_to(sink)
    graph.configure()
    for frame in frames:
        source.push(frame)
        yield from _pulled(sink)
    source.push(None)
    yield from _pulled(sink)


def limited(frames: Iterable[AudioFrame], gain: str) -> Iterator[AudioFrame]:
    """Yield a sound louder by `gain` decibels, with its peaks below full scale."""
    return through(frames, ("volume", f"{gain}dB"), _PEAK)


def measured(frames: Iterable[AudioFrame]) -> list[float]:
    """Return the loudness in LUFS of the block that ends with each hop of a sound; the first ones are not whole."""
    blocks = through(frames, ("ebur128", "metadata=1"))
    return [float(block.metadata["lavfi.r128.M"]) for block in blocks if block.samples == HOP]


def gain_for(blocks: Iterable[float], loudness: str) -> str:
    """Return the decibels by which a sound of such blocks has to be louder to have a loudness; 0 for silence."""
    powers = [10 ** (block / 10) for block in blocks if block > _SILENT]
    if not powers:
        return "0"
    least = _mean(powers) * _QUIET
    mean = Decimal(10 * log10(_mean([power for power in powers if power >= least])))
    count = ((Decimal(loudness) - mean) / _STEP).quantize(Decimal(1), ROUND_HALF_EVEN)
    return format(count * _STEP + 0, "f")  # + 0 removes the sign of a negative zero


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)


def _source(graph: Graph) -> FilterContext:
    return graph.add_abuffer(sample_rate=RATE, format="flt", layout="stereo", time_base=Fraction(1, RATE))


def _linked(graph: Graph, first: FilterContext, filters: Sequence[Step]) -> FilterContext:
    """Return the last of the filters, which are added one behind the other."""
    for name, options in filters:
        added = graph.add(name, options)
        first.link_to(added)
        first = added
    return first


def _pulled(sink: FilterContext) -> Iterator[Any]:
    while True:
        try:
            yield sink.pull()
        except (BlockingIOError, av.EOFError):
            return
