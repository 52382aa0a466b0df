"""Makes one piece of a cut: some frames of a video in the form that all pieces have, without sound.

Pieces are encoded alike, so that the packets of one can follow those of another: one thread and no time of day, which
makes the same bytes each time, and no frames that refer to later ones, so that a piece ends where its last frame does.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import av
from av.filter import Graph
from PIL import Image, ImageOps

from reconciler.diagnostics import MediaError
from reconciler.media.cut.subtitles import burned
from reconciler.media.cut.titles import title_card
from reconciler.media.draft.planes import planes, planes_of, video_frame
from reconciler.media.frames import opened
from reconciler.media.stills import read_still

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_X264: Final = {
    "preset": "veryfast",
    "crf": "18",
    "bf": "0",
    "threads": "1",
    "x264-params": "scenecut=0:colorprim=bt709:transfer=bt709:colormatrix=bt709:range=tv",
}
_LATE: Final = Fraction(1, 4)  # of a frame: files round their times
_SCALER: Final = "flags=bicubic+accurate_rnd+bitexact"
FORMAT: Final = {"movflags": "+faststart", "fflags": "+bitexact"}  # bitexact: no encoder name, no time of day


def make_piece(order: str, target: str | Path) -> int:
    """Write the piece that a JSON order describes into `target`; return its frames. Raises MediaError."""
    values = json.loads(order)
    parts = values["parts"]
    count = parts[0]["end"] - parts[0]["start"]
    sources = [_shaped(_source(part, values), values) for part in parts]
    frames = sources[0] if len(sources) == 1 else _dissolved(sources[0], sources[1], count)
    if values.get("captions"):
        frames = burned(frames, values["captions"], values)
    return encode(frames, target, values, count)


def _source(part: dict[str, Any], values: dict[str, Any]) -> Iterator[VideoFrame]:
    if not {"title", "still"} & part.keys():
        return _selected(part, values["fps"])
    is_title = "title" in part
    card = planes(title_card(part["title"], *values["size"]) if is_title else _fitted(part, values))
    return (video_frame(card, index, values["fps"]) for index in range(part["start"], part["end"]))


def _fitted(part: dict[str, Any], values: dict[str, Any]) -> Image.Image:
    """Return a picture in the cut's size, with bars or cut off. Raises MediaError."""
    picture, size = read_still(part["path"], part["still"]), tuple(values["size"])
    if values["fit"] == "crop":
        return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
    return ImageOps.pad(picture, size, Image.Resampling.LANCZOS)


def _dissolved(before: Iterator[VideoFrame], after: Iterator[VideoFrame], count: int) -> Iterator[VideoFrame]:
    """Yield the frames in which one piece turns into the next."""
    for index, (old, new) in enumerate(zip(before, after, strict=True), 1):
        yield video_frame(planes_of(old).blended(planes_of(new), index / (count + 1)), index, 1)


def encode(frames: Iterable[VideoFrame], target: str | Path, values: dict[str, Any], count: int) -> int:
    """Encode exactly `count` frames of the cut's size."""
    (width, height), fps = values["size"], values["fps"]
    try:
        with av.open(str(target), "w", format="mp4", container_options=FORMAT) as out:
            video = out.add_stream("libx264", rate=fps, options=_X264 | {"g": str(2 * fps)})
            video.width, video.height, video.pix_fmt = width, height, "yuv420p"
            video.codec_context.thread_count = 1
            number = 0
            for frame in frames:
                frame.pts, frame.time_base = number, Fraction(1, fps)
                out.mux(video.encode(frame))
                number += 1
            out.mux(video.encode(None))
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"a piece could not be encoded: {error}") from error
    if number != count:
        raise MediaError(f"{values['name']} has {number} of the {count} frames that the cut takes", code="input")
    return number


def _selected(part: dict[str, Any], fps: int) -> Iterator[VideoFrame]:
    """Yield the frame that is shown at each of the cut's times: for each, the last that has begun by then."""
    start, end = part["start"], part["end"]
    wanted, current = start, None
    with opened(Path(part["path"])) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"  # a worker has one core
        first: Fraction | None = None
        for frame in container.decode(stream):
            if frame.pts is None or frame.time_base is None:
                continue
            time = frame.pts * frame.time_base
            first = time if first is None else first
            begins = math.ceil((time - first) * fps - _LATE)
            while current is not None and wanted < min(begins, end):
                yield current
                wanted += 1
            if wanted >= end:
                return
            current = frame
        while current is not None and wanted < end:  # the last one is shown until the end
            yield current
            wanted += 1


def _shaped(frames: Iterable[VideoFrame], values: dict[str, Any]) -> Iterator[VideoFrame]:
    """Yield the frames in the size and the pixel format of the cut."""
    (width, height), graph = values["size"], None
    for frame in frames:
        if (frame.width, frame.height, frame.format.name) == (width, height, "yuv420p"):
            yield frame
            continue
        if graph is None:
            graph = _fitting(frame, width, height, crops=values["fit"] == "crop")
        graph.push(frame)
        yield cast("VideoFrame", graph.pull())


def _fitting(frame: VideoFrame, width: int, height: int, *, crops: bool) -> Graph:
    graph = Graph()
    ratio = f"force_original_aspect_ratio={'increase' if crops else 'decrease'}:force_divisible_by=2"
    middle = ("crop", f"{width}:{height}") if crops else ("pad", f"{width}:{height}:-1:-1")
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 1000)
    )
    steps = [("scale", f"{width}:{height}:{ratio}:{_SCALER}"), middle, ("setsar", "1"), ("format", "yuv420p")]
    graph.link_nodes(source, *(graph.add(*step) for step in steps), graph.add("buffersink"))
    graph.configure()
    return graph
