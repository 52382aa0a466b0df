"""A short silent loop of a clip, which plays when the pointer is over a card.

It plays at the clip's own pace, from near its start. Its last frames dissolve into those before its first one, so
picture and movement continue where the loop closes. Rejected: playing forth and back, because people and water move
backwards in it; speeding up the whole clip, because pace is what one wants to see.

To be called in a worker (`DraftRenderer.run(preview, video, out, 400)`): it decodes bytes from outside.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

import av

from reconciler.diagnostics import MediaError
from reconciler.frozen import dataclass
from reconciler.media.draft.planes import Planes, planes_of, video_frame
from reconciler.media.frames import opened
from reconciler.state import disk

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_SECONDS: Final = Fraction(3)
_DISSOLVE: Final = Fraction(2, 5)
_FASTEST: Final = 30  # frames a second; of a faster clip every second or third one is used

_X264: Final = {
    "preset": "veryfast",
    "crf": "28",
    "threads": "1",  # with more, the bytes depend on the machine
}
_MATRIX: Final = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020nc"}
"""Names of the colour matrices that H.264 files carry as numbers."""

_HD: Final = 720


def preview(video: str | Path, out: str | Path, side: int) -> None:
    """Write a loop of at most three seconds, its longer side at most `side`. Raises MediaError without a frame."""
    source, target = Path(video), Path(out)
    part = target.with_name(f".{target.name}.{os.urandom(8).hex()}.part")
    try:
        with opened(source) as container:
            frames = _frames(container, side)
            loop = _looped(frames.pictures, frames.rate)
            _encode(loop, frames, part)
        with disk.translated(f"write {target.name}", MediaError):
            disk.replace(target, part.read_bytes())
    except (av.FFmpegError, MemoryError) as error:
        raise MediaError(f"no preview of {source.name}: {error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Frames:
    """The first frames of a clip, scaled down."""

    pictures: list[Planes]
    rate: Fraction
    matrix: str


def _frames(container: InputContainer, side: int) -> _Frames:
    """Return as many frames as the loop and its dissolve need."""
    stream = container.streams.video[0]
    stream.thread_type = "NONE"  # a worker has one core
    source_rate = Fraction(stream.average_rate or 24)
    every = max(1, -(-source_rate // _FASTEST))
    rate = source_rate / every
    most = round(_SECONDS * rate) + round(_DISSOLVE * rate)
    pictures = list(_small(container, stream, side, (every, most)))
    if not pictures:
        raise MediaError("no frame can be decoded", code="input")
    context = stream.codec_context
    # Players guess an unnamed matrix by the height, and the preview is lower than the clip.
    unnamed = "bt709" if stream.height >= _HD else "smpte170m"
    return _Frames(pictures, rate, _MATRIX.get(int(context.colorspace), unnamed))


def _small(container: InputContainer, stream: VideoStream, side: int, pick: tuple[int, int]) -> Iterator[Planes]:
    every, most = pick
    size = _fitted(stream.width, stream.height, side)
    for index, frame in enumerate(container.decode(stream)):
        if index % every:
            continue
        yield planes_of(frame.reformat(*size, format="yuv420p", interpolation="AREA"))
        if index // every + 1 >= most:
            return


def _fitted(width: int, height: int, side: int) -> tuple[int, int]:
    """Return the preview's size: never larger than the clip, with even sides."""
    scale = min(1.0, side / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def _looped(pictures: list[Planes], rate: Fraction) -> Iterator[Planes]:
    """Yield the loop's frames: the first ones are left out, and the end of the loop dissolves into them."""
    lead = min(round(_DISSOLVE * rate), len(pictures) // 4)
    body = pictures[lead:]
    plain = len(body) - lead
    yield from body[:plain]
    for index in range(lead):
        yield body[plain + index].blended(pictures[index], (index + 1) / (lead + 1))


def _encode(loop: Iterator[Planes], frames: _Frames, target: Path) -> None:
    options = {"movflags": "+faststart", "fflags": "+bitexact"}  # bitexact: no encoder name, no time of day
    codec = {**_X264, "x264-params": f"colormatrix={frames.matrix}"}
    with av.open(str(target), "w", format="mp4", container_options=options) as out:
        video = out.add_stream("libx264", rate=frames.rate, options=codec)
        video.width, video.height = frames.pictures[0].size
        video.pix_fmt = "yuv420p"
        video.codec_context.thread_count = 1
        for index, picture in enumerate(loop):
            out.mux(video.encode(video_frame(picture, index, frames.rate)))
        out.mux(video.encode(None))
