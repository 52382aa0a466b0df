"""The type, size and length of a user's file, from its first bytes and its header. Nothing is decoded.

The name's suffix is ignored: vendors look at the content. Pillow and PyAV are imported when a file needs them.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import BinaryIO, Final

from reconciler.diagnostics import MediaError
from reconciler.frozen import dataclass
from reconciler.providers.limits import MediaFacts

HEAD: Final = 64
"""Bytes that identify a format."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """The type of a file: `kind` is image, video or audio, `format` the name in providers' limits."""

    kind: str
    format: str

    @property
    def content_type(self) -> str:
        """The MIME type."""
        return _CONTENT_TYPES.get(self.format, f"{self.kind}/{self.format}")

    @property
    def data_type(self) -> str:
        """The type for data URLs: Ark reads the subtype as the format (`data:audio/mp3`)."""
        return f"{self.kind}/{self.format}"

    @property
    def suffix(self) -> str:
        """The usual suffix of such a file's name."""
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
    """Return the type of a file that begins with these bytes; None if it is unknown."""
    kind_and_format = _type_of(head)
    return MediaType(*kind_and_format) if kind_and_format else None


def _type_of(head: bytes) -> tuple[str, str] | None:
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return ("image", "heic") if brand in _HEIF else _BRANDS.get(brand, ("video", "mp4"))
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE0 == 0xE0 and head[1] & 0x06:
        return ("audio", "mp3")  # a frame of MPEG audio; AAC has the layer bits zero
    return next((kind for start, kind in _STARTS if head.startswith(start)), None)


def read_header(path: Path, name: str, *, facts: bool = True) -> tuple[MediaType, MediaFacts]:
    """Return a file's type and the facts in its header. Raises MediaError if it is not media or its header is invalid.

    `name` is for messages. Without `facts` only the type of a video or sound is read, which loads no codec. A file that
    is damaged after its header passes: a plan does not read whole files.
    """
    try:
        with path.open("rb") as file:
            kind, size = type_of(file.read(HEAD)), path.stat().st_size
            if kind is None:
                raise MediaError(f"{name} is not a supported picture, video or sound", code="input")
            if not facts and kind.kind != "image":
                return kind, MediaFacts(kind.format, size)
            file.seek(0)
            return kind, (_image if kind.kind == "image" else _track)(file, kind, size)
    except OSError as error:
        raise MediaError(f"{name} cannot be read: it is cut short or damaged", code="input") from error


def _image(file: BinaryIO, kind: MediaType, size: int) -> MediaFacts:
    """Read a picture's header. Pillow's errors are mostly OSErrors; an inconsistent header raises others."""
    from PIL import Image

    if kind.format not in _PICTURES:
        return MediaFacts(kind.format, size)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about large pictures: the limits decide
            with Image.open(file, formats=(kind.format.upper(),)) as picture:
                return MediaFacts(kind.format, size, picture.width, picture.height)
    except (ValueError, SyntaxError, TypeError, Image.DecompressionBombError) as error:
        raise OSError(str(error)) from error


_PICTURES: Final = ("jpeg", "png", "webp", "bmp", "tiff", "gif")
DEMUXERS: Final = {"mp4": "mov", "mov": "mov", "m4a": "mov", "wav": "wav", "mp3": "mp3"}
"""The accepted formats, each with the only demuxer that may read it: others would follow playlists."""


def _track(file: BinaryIO, kind: MediaType, size: int) -> MediaFacts:
    """Read a video's or a sound's header. PyAV's errors are OSErrors or ValueErrors."""
    import av

    if kind.format not in DEMUXERS:
        return MediaFacts(kind.format, size)
    try:
        with av.open(file, mode="r", format=DEMUXERS[kind.format]) as container:
            streams = container.streams
            if kind.kind == "audio":
                return MediaFacts(kind.format, size, seconds=_seconds(container.duration))
            if not streams.video:
                raise OSError("no video track")
            video = streams.video[0]
            # 29.97 stays, 24.0004 becomes 24. An unknown rate is None, or since PyAV 19 a false rational.
            fps = round(float(video.average_rate), 2) if video.average_rate else None
            facts = MediaFacts(kind.format, size, video.width, video.height, _seconds(container.duration), fps)
    except (av.FFmpegError, ValueError) as error:
        raise OSError(str(error)) from error
    return facts


def _seconds(duration: int | None) -> float | None:
    """Return seconds rounded to a hundredth: containers round, and 15.001 s counts as 15 s."""
    return round(duration / 1_000_000, 2) if duration is not None else None
