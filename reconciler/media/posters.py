"""One still that stands for a clip: what a gallery shows before anything plays, and what contact sheets are made of.

It is the first frame, unless that one is next to black or white (a fade, a flash). Refused: the frame
in the middle, because drafts carry a caption there and clips with two pictures are half dissolved; the frame with the
most detail, because it costs the decoding of the whole clip and favours noise.

To be called in a worker (`Farm.run(poster, video, out, 640)`): it decodes bytes that came from outside.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageStat

from reconciler.diagnostics import MediaError
from reconciler.media.blank import blank
from reconciler.media.frames import opened
from reconciler.state import disk

if TYPE_CHECKING:
    from av.container import InputContainer

_TELLING: Final = 18.0
"""Spread of light (of 255) from which a frame is worth showing however dark it is: a night sky has some 20."""

_BLACK, _WHITE = 24.0, 231.0

_LATER: Final = (Fraction(1, 8), Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
_QUALITY: Final = 84


def poster(video: str | Path, out: str | Path, side: int) -> None:
    """Write a JPEG whose longer side is at most `side`. A video that cannot be decoded gives a plain card instead;
    `MediaError` only when the picture cannot be written."""
    try:
        picture = read_poster(Path(video), side)
    except MediaError:
        picture = blank(side)
    _save(picture, Path(out))


def blank_poster(out: str | Path, side: int) -> None:
    """Write the plain card, for a video that not even a worker may open again."""
    _save(blank(side), Path(out))


def read_poster(video: Path, side: int) -> Image.Image:
    """The frame that represents a video, no longer than `side`; `MediaError` when it has none."""
    best: tuple[float, Image.Image] | None = None
    with opened(video) as container:
        for frame in _candidates(container):
            frame.thumbnail((side, side), Image.Resampling.LANCZOS)
            mean, spread = _light(frame)
            if spread >= _TELLING or _BLACK < mean < _WHITE:
                return frame
            if best is None or spread > best[0]:
                best = (spread, frame)
    if best is None:
        raise MediaError(f"{video.name} has no frame that can be decoded", code="input")
    return best[1]


def _save(picture: Image.Image, out: Path) -> None:
    content = io.BytesIO()
    picture.save(content, format="JPEG", quality=_QUALITY, optimize=True, progressive=True)
    with disk.translated(f"write {out.name}", MediaError):
        disk.replace(out, content.getvalue())


def _candidates(container: InputContainer) -> Iterator[Image.Image]:
    """The first frame, then frames along the clip."""
    stream = container.streams.video[0]
    stream.thread_type = "NONE"  # a worker has one core
    start = stream.start_time or 0
    for moment in (start, *(start + int((stream.duration or 0) * share) for share in _LATER)):
        container.seek(moment, stream=stream)  # to the key frame before it, which may be the only one
        shown = None
        for shown in container.decode(stream):
            if shown.pts is None or shown.pts >= moment:
                break
        if shown is not None:
            yield shown.to_image()  # type: ignore[no-untyped-call]  # PyAV leaves it unannotated


def _light(picture: Image.Image) -> tuple[float, float]:
    """How light a picture is, and how far its light spreads around that."""
    found = ImageStat.Stat(picture.convert("L").resize((64, 64), Image.Resampling.BOX))
    return found.mean[0], found.stddev[0]
