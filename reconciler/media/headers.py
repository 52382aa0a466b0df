"""What a file of the user's is, by its first bytes and its header: format, size, length. Nothing is decoded.

A file's name says nothing: vendors look at the content, and so do we. Pillow and PyAV are loaded by the first file
that needs them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, SupportsFloat

from reconciler.diagnostics import MediaError
from reconciler.providers.limits import MediaFacts

HEAD: Final = 64
"""Bytes that tell a format."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """What a file holds: `kind` is image, video or audio, `format` the name that vendors' limits use."""

    kind: str
    format: str

    @property
    def content_type(self) -> str:
        """As HTTP calls it."""
        return _CONTENT_TYPES.get(self.format, f"{self.kind}/{self.format}")

    @property
    def data_type(self) -> str:
        """As data URLs to vendors call it: Ark reads the subtype as the format (`data:audio/mp3`)."""
        return f"{self.kind}/{self.format}"

    @property
    def suffix(self) -> str:
        """The usual ending of such a file's name."""
        return _SUFFIXES.get(self.format, f".{self.format}")


_CONTENT_TYPES: Final = {"mp3": "audio/mpeg", "mov": "video/quicktime", "m4a": "audio/mp4"}
_SUFFIXES: Final = {"jpeg": ".jpg", "tiff": ".tif"}

_BRANDS: Final = {b"qt  ": ("video", "mov"), b"M4A ": ("audio", "m4a"), b"avif": ("image", "avif")}
_HEIF: Final = (b"heic", b"heix", b"mif1", b"msf1", b"hevc")
_RIFF: Final = {b"WEBP": ("image", "webp"), b"WAVE": ("audio", "wav"), b"AVI ": ("video", "avi")}
_STARTS: Final = (
    (b"\x89PNG\r\n\x1a\n", ("image", "png")),
    (b"\xff\xd8\xff", ("image", "jpeg")),
    (b"GIF8", ("image", "gif")),
    (b"BM", ("image", "bmp")),
    (b"II*\0", ("image", "tiff")),
    (b"MM\0*", ("image", "tiff")),
    (b"\x1a\x45\xdf\xa3", ("video", "webm")),
    (b"ID3", ("audio", "mp3")),
    (b"OggS", ("audio", "ogg")),
    (b"fLaC", ("audio", "flac")),
)


def type_of(head: bytes) -> MediaType | None:
    """What begins like this; None when nobody knows."""
    found = _type_of(head)
    return MediaType(*found) if found else None


def _type_of(head: bytes) -> tuple[str, str] | None:
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return ("image", "heic") if brand in _HEIF else _BRANDS.get(brand, ("video", "mp4"))
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE0 == 0xE0 and head[1] & 0x06:
        return ("audio", "mp3")  # a frame of MPEG audio; AAC has the layer bits zero
    return next((found for start, found in _STARTS if head.startswith(start)), None)


def read_header(path: Path, name: str) -> tuple[MediaType, MediaFacts]:
    """What a file is and what its header says. Raises MediaError when it is no media or its header is not sound.

    `name` is what messages call it. A file that is damaged further on passes: reading all of it is not a plan's work.
    """
    try:
        with path.open("rb") as file:
            kind, size = type_of(file.read(HEAD)), path.stat().st_size
            if kind is None:
                raise MediaError(f"{name} is no picture, video or sound that is known here", code="input")
            file.seek(0)
            return kind, _FACTS[kind.kind](file, kind, size)
    except OSError as error:
        raise MediaError(f"{name} cannot be read: it is cut short or damaged", code="input") from error


def _image(file: BinaryIO, kind: MediaType, size: int) -> MediaFacts:
    """Pillow's errors are OSErrors mostly; a header that lies raises others."""
    from PIL import Image

    if kind.format not in _PICTURES:
        return MediaFacts(kind.format, size)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures: the limits decide
            with Image.open(file, formats=(kind.format.upper(),)) as picture:
                return MediaFacts(kind.format, size, picture.width, picture.height)
    except (ValueError, SyntaxError, TypeError, Image.DecompressionBombError) as error:
        raise OSError(str(error)) from error


_PICTURES: Final = ("jpeg", "png", "webp", "bmp", "tiff", "gif")
_DEMUXERS: Final = {"mp4": "mov", "mov": "mov", "m4a": "mov", "wav": "wav", "mp3": "mp3"}
"""What a vendor may take, each with the one reader that may see it: others would read playlists and follow them."""


def _track(file: BinaryIO, kind: MediaType, size: int) -> MediaFacts:
    """PyAV's errors are OSErrors or ValueErrors."""
    import av

    if kind.format not in _DEMUXERS:
        return MediaFacts(kind.format, size)
    try:
        with av.open(file, mode="r", format=_DEMUXERS[kind.format]) as container:
            streams = container.streams
            if kind.kind == "audio":
                return MediaFacts(kind.format, size, seconds=_seconds(container.duration))
            if not streams.video:
                raise OSError("no video track")
            video = streams.video[0]
            rate = video.average_rate
            facts = MediaFacts(kind.format, size, video.width, video.height, _seconds(container.duration), _fps(rate))
    except (av.FFmpegError, ValueError) as error:
        raise OSError(str(error)) from error
    return facts


def _seconds(duration: int | None) -> float | None:
    """To a hundredth: containers round, and 15.001 s is 15 s to everybody."""
    return round(duration / 1_000_000, 2) if duration is not None else None


def _fps(rate: SupportsFloat | None) -> float | None:
    """29.97 stays, 24.0004 becomes 24. A rate that is not known is None, or since PyAV 19 a rational that is false."""
    return round(float(rate), 2) if rate else None


_FACTS: Final[dict[str, Callable[[BinaryIO, MediaType, int], MediaFacts]]] = {
    "image": _image,
    "video": _track,
    "audio": _track,
}
