"""Checks that a video is complete and decodable, and measures its length and size.

To be called in a worker (`DraftRenderer.run(probe, path)`): it decodes bytes from outside.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.diagnostics import MediaError
from reconciler.media.facts import VideoFacts
from reconciler.media.frames import opened
from reconciler.media.mp4 import read_mp4

if TYPE_CHECKING:
    from av.container import InputContainer


def probe(path: str | Path) -> VideoFacts:
    """Return the facts of a video after reading all of it. Raises MediaError if it is incomplete.

    Opening proves nothing: a file that was cut in half opens and declares all of its frames. So every packet is read
    and decoded, and their number must match the index.
    """
    video = Path(path)
    try:
        with video.open("rb") as file:
            head = read_mp4(file)
    except OSError as error:
        raise MediaError(f"{video.name} cannot be read: {error.strerror or error}") from error
    with opened(video, untrimmed=True) as container:
        frames, last_ms = _decode(container, video.name)
    return VideoFacts(head.duration_ms or last_ms, head.width, head.height, head.audio, frames)


def _decode(container: InputContainer, name: str) -> tuple[int, int]:
    """Return the number of frames and the end of the last one in ms. Raises MediaError for damaged or missing data."""
    stream = container.streams.video[0]
    stream.thread_type = "NONE"  # a worker has one core
    frames = packets = 0
    end = 0.0
    for packet in container.demux(stream):
        if packet.is_corrupt:
            raise MediaError(f"{name} is incomplete: media data is missing", code="input")
        packets += packet.size > 0
        for frame in packet.decode():
            if frame.is_corrupt:
                raise MediaError(f"{name} is damaged: a frame does not decode", code="input")
            frames += 1
            end = max(end, frame.time or 0.0)
    if stream.frames and packets != stream.frames:
        raise MediaError(f"{name} is incomplete: {packets} of {stream.frames} frames are present", code="input")
    if not frames:
        raise MediaError(f"{name} has no decodable frame", code="input")
    return frames, round(1000 * (end + float(1 / stream.average_rate if stream.average_rate else 0)))
