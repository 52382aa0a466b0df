"""Extracts the first or the last frame of a video, with the same bytes each time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EINVAL, ENOMEM
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.diagnostics import MediaError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from PIL import Image


def extract_frame(video_path: str | Path, which: str, out_png_path: str | Path) -> None:
    """Write the `first_frame` or `last_frame` of a video as a PNG. Raises MediaError if there is none."""
    picture = read_frame(Path(video_path), which)
    try:
        # Fast compression: the file is an input for the next clip, and a draft's frame is large.
        picture.save(out_png_path, format="PNG", compress_level=3)
    except OSError as error:
        raise MediaError(f"{out_png_path} cannot be written: {error}") from error


def read_frame(video: Path, which: str) -> Image.Image:
    """Return the first or the last frame in display order, as RGB."""
    with opened(video) as container:
        if which == "last_frame":
            newest = deque(_last_frames(container), maxlen=1)
        else:
            newest = deque(islice(container.decode(video=0), 1))
        if not newest:
            raise MediaError(f"no frame of {video.name} can be decoded", code="input")
        picture: Image.Image = newest[0].to_image()  # type: ignore[no-untyped-call]  # PyAV leaves it unannotated
        return picture


@contextmanager
def opened(
    video: Path, *, untrimmed: bool = False, demuxer: str = "mov", track: str = "video"
) -> Iterator[InputContainer]:
    """Open a video for reading; errors of PyAV become `MediaError`.

    PyAV gets an open file and never a name: FFmpeg may read a name as a protocol, and a playlist that poses as a video
    could then make it fetch other files. The demuxer is fixed for the same reason. A player hides the frames that an
    edit list trims away; `untrimmed` reads all that are stored. It must have a `track` of this kind.
    """
    import av

    options = {"ignore_editlist": "1"} if untrimmed else {}
    try:
        with video.open("rb") as file, av.open(file, mode="r", format=demuxer, options=options) as container:
            if not getattr(container.streams, track):
                raise MediaError(f"{video.name} has no {track} track", code="input")
            yield container
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"{video.name} cannot be decoded: {reason}", code=_code(error)) from error


def _code(error: Exception) -> str:
    """Return `input` if the decoder rejects the bytes; an unreadable file or lack of memory proves nothing."""
    import av

    number = getattr(error, "errno", None)
    if number == ENOMEM:
        return "memory"
    verdict = isinstance(error, av.FFmpegError | ValueError) or number == EINVAL  # a seek beyond the end
    return "input" if verdict else "error"


def _last_frames(container: InputContainer) -> Iterator[VideoFrame]:
    """Yield the frames from the last key frame on; all frames if the file cannot be seeked."""
    stream = container.streams.video[0]
    end = stream.duration or 0
    container.seek(max(0, end - 1) + (stream.start_time or 0), stream=stream)
    empty = True
    for frame in container.decode(stream):
        empty = False
        yield frame
    if empty:
        container.seek(0)
        yield from container.decode(stream)
