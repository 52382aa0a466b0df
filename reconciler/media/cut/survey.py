"""Looks at a video without decoding it: its form, and whether a cut can copy its packets."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.diagnostics import MediaError
from reconciler.frozen import dataclass
from reconciler.media.frames import opened

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream


_HDR = (16, 18)  # PQ and HLG


@dataclass(frozen=True, slots=True)
class Survey:
    """What a part of a video is made of. `frames` are those of the whole video at the cut's rate; `form` is equal for
    parts whose packets can follow each other in one track, and empty for a part that has to be encoded. `note` says
    what of its pictures a film cannot have."""

    width: int
    height: int
    frames: int
    form: str
    audio: bool
    note: str = ""


def survey(path: str | Path, start: int, end: int, fps: int) -> Survey:
    """Return what a video has in the frames from `start` to `end` of a cut's rate; -1 is its end. Raises MediaError."""
    with opened(Path(path)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        frames = _length(packets, stream, fps, Path(path).name)
        last = frames if end < 0 else end
        form = _form(stream) if fps_of(packets, stream) == fps and part(packets, start, last) is not None else ""
        return Survey(stream.width, stream.height, frames, form, bool(container.streams.audio), _note(stream))


def _length(packets: list[Packet[Any]], stream: VideoStream, fps: int, name: str) -> int:
    if not packets or stream.time_base is None or any(packet.pts is None for packet in packets):
        raise MediaError(f"{name} has no frames with times", code="input")
    first, last = min(times(packets)), max(packets, key=lambda packet: packet.pts or 0)
    end = (last.pts or 0) + (last.duration or 0)
    return round((end - first) * stream.time_base * fps)


def times(packets: list[Packet[Any]]) -> list[int]:
    """Return when each packet is shown, in the units of its track."""
    return [packet.pts or 0 for packet in packets]


def fps_of(packets: list[Packet[Any]], stream: VideoStream) -> Fraction | None:
    """Return the rate at which the frames are shown; None if it is not constant."""
    ordered = sorted(times(packets))
    steps = {after - before for before, after in zip(ordered, ordered[1:], strict=False)} or {packets[0].duration or 0}
    step = steps.pop()
    if steps or not step or stream.time_base is None:
        return None
    return 1 / (step * stream.time_base)


def part(packets: list[Packet[Any]], start: int, end: int) -> list[Packet[Any]] | None:
    """Return the packets of the frames from `start` to `end` as they are decoded, if nothing else is needed to decode
    them: the part begins at a key frame and ends before one, or with the video."""
    order = {time: index for index, time in enumerate(sorted(times(packets)))}
    inside = [index for index, packet in enumerate(packets) if start <= order[packet.pts or 0] < end]
    if not inside or len(inside) != end - start or inside[-1] - inside[0] != len(inside) - 1:
        return None
    after = inside[-1] + 1
    first = packets[inside[0]]
    if (
        not first.is_keyframe
        or order[first.pts or 0] != start
        or (after < len(packets) and not packets[after].is_keyframe)
    ):
        return None
    return packets[inside[0] : after]


def _form(stream: VideoStream) -> str:
    """Return what packets in one track must have alike: codec, size, pixel format, parameter sets, shape of pixels."""
    codec = stream.codec_context
    if codec.name != "h264" or codec.format is None or codec.format.name != "yuv420p" or not codec.extradata:
        return ""
    sets = hashlib.sha256(codec.extradata).hexdigest()
    return f"{codec.name} {codec.width}x{codec.height} {codec.format.name} {sets}"


def _note(stream: VideoStream) -> str:
    """Return what is lost of a video whose colours are finer than a film's; empty if nothing is."""
    codec = stream.codec_context
    bits = max((part.bits for part in codec.format.components), default=8) if codec.format is not None else 8
    if bits <= 8:
        return ""
    mapped = ", and its high dynamic range is not mapped" if codec.color_trc in _HDR else ""
    return f"has {bits} bits of colour, and the film has 8{mapped}"
