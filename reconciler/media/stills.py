"""Still pictures from outside: read once, decoded, turned upright, or refused by name."""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.diagnostics import MediaError

if TYPE_CHECKING:
    from PIL import Image

_FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
"""What is decoded at all: plain pictures. Some of Pillow's other formats run outside programs."""

_MOST_PIXELS: Final = 100_000_000
_MOST_BYTES: Final = 200_000_000


def read_still(path: str, sha256: str = "") -> Image.Image:
    """The picture in a file; `MediaError` if its content is not what `sha256` says, where that is given."""
    content = _read(path)
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise MediaError(f"{shown(path)} changed after the plan was made", help="Run the command again.", code="input")
    return decode_still(content, shown(path))[0]


def decode_still(content: bytes, name: str) -> tuple[Image.Image, str]:
    """A picture as upright RGB, on grey where it is transparent, and its format; `name` is for the error."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures and of odd metadata; the limit here decides instead.
            warnings.simplefilter("ignore")
            return _decoded(content, name)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise MediaError(f"{name} is not a picture that can be read", code="input") from error


def _decoded(content: bytes, name: str) -> tuple[Image.Image, str]:
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
        if picture.width * picture.height > _MOST_PIXELS:
            raise MediaError(f"{name} has {picture.width}×{picture.height} pixels, the most is 10⁸", code="input")
        kind = (picture.format or "").lower()
        upright = ImageOps.exif_transpose(picture)
        if upright.has_transparency_data:
            ground = Image.new("RGBA", upright.size, (96, 96, 98, 255))
            upright = Image.alpha_composite(ground, upright.convert("RGBA"))
        return upright.convert("RGB"), kind


def _read(path: str) -> bytes:
    """The bytes of a regular file: never of a device or a pipe, which may not end."""
    file = Path(path)
    try:
        if not file.is_file():
            raise MediaError(f"{shown(path)} is not a file", code="input")
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise MediaError(f"{shown(path)} cannot be read: {reason}", code="input") from error
    if len(content) > _MOST_BYTES:
        raise MediaError(f"{shown(path)} is larger than 200 MB", code="input")
    return content


def shown(path: str) -> str:
    """A path as messages name it: without the way to the folder that we are in."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (OSError, ValueError):
        return path
