"""One still that represents a clip: shown in a gallery before playing, and used for contact sheets.

It is the first frame, unless that is nearly black or white (a fade, a flash). Rejected: the frame in the middle,
because drafts have a caption there and clips with two pictures are half dissolved; the frame with the most detail,
because that decodes the whole clip and favours noise.

To be called in a worker (`DraftRenderer.run(poster, video, out, 640)`): it decodes bytes from outside.
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

_MIN_SPREAD: Final = 18.0
"""Spread of light (of 255) from which a frame is good enough however dark it is: a night sky has about 20."""

_BLACK, _WHITE = 24.0, 231.0

_LATER: Final = (Fraction(1, 8), Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
_QUALITY: Final = 84


def poster(video: str | Path, out: str | Path, side: int) -> None:
    """Write a JPEG whose longer side is at most `side`. A video that cannot be decoded gets a plain card; MediaError
    only if the file cannot be written."""
    try:
        picture = read_poster(Path(video), side)
    except MediaError:
        picture = blank(side)
    _save(picture, Path(out))


def blank_poster(out: str | Path, side: int) -> None:
    """Write the plain card, for a video that killed its worker."""
    _save(blank(side), Path(out))


def read_poster(video: Path, side: int) -> Image.Image:
    """Return the frame that represents a video, at most `side` long. Raises MediaError if it has none."""
    best: tuple[float, Image.Image] | None = None
    with opened(video) as container:
        for frame in _candidates(container):
            frame.thumbnail((side, side), Image.Resampling.LANCZOS)
            light, spread = _light(frame)
            if spread >= _MIN_SPREAD or _BLACK < light < _WHITE:
                return frame
            if best is None or spread > best[0]:
                best = (spread, frame)
    if best is None:
        raise MediaError(f"no frame of {video.name} can be decoded", code="input")
    return best[1]


def _save(picture: Image.Image, out: Path) -> None:
    content = io.BytesIO()
    picture.save(content, format="JPEG", quality=_QUALITY, optimize=True, progressive=True)
    with disk.translated(f"write {out.name}", MediaError):
        disk.replace(out, content.getvalue())


def _candidates(container: InputContainer) -> Iterator[Image.Image]:
    stream = container.streams.video[0]
    stream.thread_type = "NONE"  # a worker has one core
    start = stream.start_time or 0
    for moment in (start, *(start + int((stream.duration or 0) * share) for share in _LATER)):
        container.seek(moment, stream=stream)  # to the key frame before it, perhaps the only one
        frame = None
        for frame in container.decode(stream):
            if frame.pts is None or frame.pts >= moment:
                break
        if frame is not None:
            yield frame.to_image()  # type: ignore[no-untyped-call]  # PyAV leaves it unannotated


def _light(picture: Image.Image) -> tuple[float, float]:
    """Return the mean lightness of a picture and its spread."""
    statistics = ImageStat.Stat(picture.convert("L").resize((64, 64), Image.Resampling.BOX))
    return statistics.mean[0], statistics.stddev[0]
