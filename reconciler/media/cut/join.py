"""Joins the pieces of a cut: their packets are copied, and only the sound is encoded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import av

from reconciler.diagnostics import MediaError
from reconciler.frozen import dataclass
from reconciler.media.cut import desk, mix, subtitles, survey
from reconciler.media.cut.pieces import FORMAT
from reconciler.media.frames import opened

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet


_AAC: Final = {"b": "192000", "aac_coder": "fast"}
"""At this rate the fast coder is as good as the default one, which takes three times as long."""


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
    has_sound = mix.has_sound(values)
    audio = out.add_stream("aac", rate=desk.RATE, options=_AAC, layout="stereo") if has_sound else None
    blocks = mix.sound(values) if audio else iter(())
    captions = values.get("captions", ())
    texts = subtitles.packets(captions, subtitles.add_track(out)) if captions else iter(())
    encoded, count, text = 0, 0, next(texts, None)
    for packet in _packets(parts, fps):
        while text is not None and (text.pts or 0) * fps <= count * 1000:
            out.mux(text)
            text = next(texts, None)
        while audio and encoded * fps < count * desk.RATE and (block := next(blocks, None)) is not None:
            out.mux(audio.encode(block))
            encoded += block.samples
        packet.stream = video
        out.mux(packet)
        count += 1
    _finish(out, audio, blocks)
    return Film(count, width, height, has_sound)


def _finish(out: OutputContainer, audio: AudioStream | None, blocks: Iterator[Any]) -> None:
    if audio is not None:
        for block in blocks:
            out.mux(audio.encode(block))
        out.mux(audio.encode(None))


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
    """Return how many frames a part's packets have to be decoded before they are shown."""
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
