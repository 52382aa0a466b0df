"""Reads still pictures from outside: decodes them upright, or refuses them by name."""

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
"""The formats that are decoded: plain pictures. Some of Pillow's other formats run external programs."""

_MOST_PIXELS: Final = 100_000_000
_MOST_BYTES: Final = 200_000_000


def read_still(path: str, sha256: str = "") -> Image.Image:
    """Return the picture in a file. Raises MediaError if its content does not match `sha256`, if given."""
    content = _read(path)
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        text = f"{relative(path)} changed after the plan was made"
        raise MediaError(text, help="Run the command again.", code="input")
    return decode_still(content, relative(path))[0]


def decode_still(content: bytes, name: str) -> tuple[Image.Image, str]:
    """Return a picture as upright RGB, on grey where it is transparent, and its format; `name` is for the error."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # Pillow warns about large pictures and odd metadata; the limit here decides instead.
            warnings.simplefilter("ignore")
            return _decoded(content, name)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise MediaError(f"{name} is not a readable picture", code="input") from error


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
    """Return the bytes of a regular file: never of a device or a pipe, which may not end."""
    file = Path(path)
    try:
        if not file.is_file():
            raise MediaError(f"{relative(path)} is not a file", code="input")
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise MediaError(f"{relative(path)} cannot be read: {reason}", code="input") from error
    if len(content) > _MOST_BYTES:
        raise MediaError(f"{relative(path)} is larger than 200 MB", code="input")
    return content


def relative(path: str) -> str:
    """Return a path as messages name it: relative to the current folder if it is inside."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (OSError, ValueError):
        return path
