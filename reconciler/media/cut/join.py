"""Joins the pieces of a cut: their packets are copied, and only the sound is encoded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from fractions import Fraction
from heapq import merge
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.packet import Packet

from reconciler.diagnostics import MediaError
from reconciler.frozen import dataclass
from reconciler.media.cut import stretches, subtitles, survey
from reconciler.media.cut.desk import RATE
from reconciler.media.cut.pieces import FORMAT
from reconciler.media.cut.sounds import BLOCK
from reconciler.media.frames import opened

if TYPE_CHECKING:
    from av.container import OutputContainer


@dataclass(frozen=True, slots=True)
class Film:
    """What was joined."""

    frames: int
    width: int
    height: int
    audio: bool


def join(order: str, target: str | Path) -> Film:
    """Write the film that a JSON order describes into `target`. Raises MediaError."""
    values = json.loads(order)
    try:
        with av.open(str(target), "w", format="mp4", container_options=FORMAT) as out:
            return _joined(out, values)
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"the film could not be joined: {error}") from error


def _joined(out: OutputContainer, values: Mapping[str, Any]) -> Film:
    fps, parts = values["fps"], values["parts"]
    with opened(Path(parts[0]["path"])) as first:
        video = out.add_stream_from_template(first.streams.video[0])
        width, height = video.width, video.height
    video.time_base = Fraction(1, fps)
    tracks = [_sound(out, values["sound"])] if values.get("sound") else []
    if values.get("captions"):
        tracks.append(subtitles.packets(values["captions"], subtitles.add_track(out)))
    others = merge(*tracks, key=_begins)
    following, count = next(others, None), 0
    for packet in _packets(parts, fps):
        while following is not None and _begins(following) <= Fraction(count, fps):
            out.mux(following)
            following = next(others, None)
        packet.stream = video
        out.mux(packet)
        count += 1
    for last in chain([following] if following is not None else [], others):
        out.mux(last)
    return Film(count, width, height, bool(values.get("sound")))


def _begins(packet: Packet[Any]) -> Fraction:
    return (packet.pts or 0) * (packet.time_base or Fraction(0))


def _sound(out: OutputContainer, path: str) -> Iterator[Packet[Any]]:
    """Yield the packets of a sound in a track of their own; the first one is what the decoder begins with, no sound."""
    stream = out.add_stream("aac", rate=RATE, options=stretches.OPTIONS, layout="stereo")
    samples, packets = stretches.read_sound(path)

    def timed() -> Iterator[Packet[Any]]:
        for number, data in enumerate(packets, -1):
            packet = Packet(data)
            packet.pts = packet.dts = number * BLOCK
            packet.duration, packet.time_base = min(BLOCK, samples - number * BLOCK), Fraction(1, RATE)
            packet.stream = stream
            yield packet

    return timed()


def _packets(parts: Sequence[Mapping[str, Any]], fps: int) -> Iterator[Packet[Any]]:
    """Yield the packets of all parts in one count of frames. Those of a video that is decoded in another order than it
    is shown are decoded earlier, all by the same number of frames."""
    with ExitStack() as stack:
        delay = max(_delay(part, fps) for part in parts)
        decoded = position = 0
        for part in parts:
            container = stack.enter_context(opened(Path(part["path"])))
            packets = _part(container, part, fps)
            order = {time: index for index, time in enumerate(sorted(survey.times(packets)))}
            for packet in packets:
                packet.pts, packet.dts = position + order[packet.pts or 0], decoded - delay
                packet.time_base, packet.duration = Fraction(1, fps), 1
                decoded += 1
                yield packet
            position += len(packets)
            stack.pop_all().close()


def _delay(part: Mapping[str, Any], fps: int) -> int:
    """Return how many frames a part's packets have to be decoded before they are shown; a part may say so itself."""
    if "delay" in part:
        return int(part["delay"])
    with opened(Path(part["path"])) as container:
        packets = _part(container, part, fps)
        order = {time: index for index, time in enumerate(sorted(survey.times(packets)))}
        return max(number - order[packet.pts or 0] for number, packet in enumerate(packets))


def _part(container: Any, part: Mapping[str, Any], fps: int) -> list[Packet[Any]]:
    stream = container.streams.video[0]
    packets = [packet for packet in container.demux(stream) if packet.size]
    some = survey.part(packets, part["start"], part["end"])
    if some is None or survey.fps_of(packets, stream) != fps:
        raise MediaError(f"{Path(part['path']).name} is not a piece of this cut", code="input")
    return some
