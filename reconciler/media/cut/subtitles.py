"""Reads subtitles, draws them over frames, and writes them as a track."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from av.packet import Packet
from PIL import Image, ImageDraw

from reconciler.diagnostics import MediaError
from reconciler.media.draft.planes import Overlay, overlay, planes_of, video_frame
from reconciler.media.draft.type import face, wrapped

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.subtitles.stream import SubtitleStream
    from av.video.frame import VideoFrame

Caption = tuple[int, int, str]
"""When it begins and ends, and its text. Captions follow each other: at most one is shown at a time."""

_MOST_BYTES: Final = 10_000_000
_MOST: Final = 10_000
_LINES: Final = 4
_HEADER: Final = b"""[Script Info]
ScriptType: v4.00+
[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline,\
 StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def read_subtitles(path: str, name: str) -> list[Caption]:
    """Return the captions of a file, in milliseconds. `name` is for messages. Raises MediaError."""
    import pysubs2

    try:
        data = Path(path).read_bytes()
        if len(data) > _MOST_BYTES:
            raise MediaError(f"{name} is larger than {_MOST_BYTES // 1_000_000} MB", code="input")
        form = {".vtt": "vtt", ".ass": "ass", ".ssa": "ssa"}.get(Path(name).suffix.lower(), "srt")
        events = pysubs2.SSAFile.from_string(data.decode("utf-8-sig"), format_=form)
    except UnicodeDecodeError as error:
        raise MediaError(f"{name} is not UTF-8", help="save it as UTF-8", code="input") from error
    except (OSError, ValueError, pysubs2.Pysubs2Error) as error:
        raise MediaError(f"{name} cannot be read as subtitles: {error}", code="input") from error
    lines = [
        (line.start, line.end, line.plaintext.strip()) for line in events if not (line.is_comment or line.is_drawing)
    ]
    for begin, end, text in lines:
        if end <= begin:
            raise MediaError(f"{name}: {text[:40]!r} ends at {end / 1000:g} s, before it begins", code="input")
    if not 0 < len(lines) <= _MOST:
        raise MediaError(f"{name} has {len(lines):,} subtitles; a film can have 1 to {_MOST:,}", code="input")
    return _apart([line for line in lines if line[2]])


def _apart(lines: Sequence[Caption]) -> list[Caption]:
    """Return the same words without two captions at a time: those that overlap are shown as one."""
    marks = sorted({time for begin, end, _ in lines for time in (begin, end)})
    captions = []
    for begin, end in zip(marks, marks[1:], strict=False):
        words = [text for first, last, text in lines if first <= begin and end <= last]
        if words:
            captions.append((begin, end, "\n".join(words)))
    return captions


def add_track(out: OutputContainer) -> SubtitleStream:
    """Add a track for subtitles."""
    stream: Any = out.add_stream("mov_text")
    stream.codec_context.subtitle_header = _HEADER
    stream.time_base = Fraction(1, 1000)
    return stream  # type: ignore[no-any-return]  # what PyAV adds for this codec


def packets(captions: Iterable[Caption], stream: SubtitleStream) -> Iterator[Packet[Any]]:
    """Yield the packets of a track, each when it is due."""
    for begin, end, text in captions:
        data = text.encode()[:0xFFFF]
        packet = Packet(len(data).to_bytes(2, "big") + data)
        packet.pts = packet.dts = begin
        packet.duration, packet.time_base, packet.stream = end - begin, Fraction(1, 1000), stream
        yield packet


def burned(
    frames: Iterable[VideoFrame], captions: Sequence[Caption], values: Mapping[str, Any]
) -> Iterator[VideoFrame]:
    """Yield the frames with captions drawn over them; their times are frames, counted from the first one."""
    for index, frame in enumerate(frames):
        text = next((text for begin, end, text in captions if begin <= index < end), None)
        if text is None:
            yield frame
            continue
        picture = planes_of(frame).copy()
        _lettering(text, *values["size"]).draw(picture)
        yield video_frame(picture, index, values["fps"])


@lru_cache(maxsize=4)
def _lettering(text: str, width: int, height: int) -> Overlay:
    """Return white words with a black edge, in the middle near the bottom."""
    size = max(10, min(width, height) // 18)
    font, edge, step = face(size), max(1, size // 12), size * 4 // 3
    lines = [line for words in text.split("\n") for line in wrapped(words, font, width * 9 // 10, _LINES)][:_LINES]
    high = (step * len(lines) + 2 * edge + 1) // 2 * 2
    image = Image.new("RGBA", (width, high))
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        place = (width // 2, edge + step * number + step // 2)
        draw.text(place, line, "white", font, anchor="mm", stroke_width=edge, stroke_fill="black")
    return overlay(image, 0, (height - high - height // 20) // 2 * 2)
