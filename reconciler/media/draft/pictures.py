"""The pictures that a scene is made of: decoded, turned upright, and refused by name where they cannot be read.

A draft works offline: a remote input is drawn as a placeholder card that names it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import warnings
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

from PIL import Image, ImageOps

from reconciler.diagnostics import MediaError
from reconciler.media.draft.placeholder import placeholder
from reconciler.media.draft.scene import Ref, Scene, Size
from reconciler.media.frames import read_frame

_MOST_PIXELS: Final = 100_000_000
_MOST_BYTES: Final = 200_000_000


def pictures(scene: Scene) -> list[Image.Image]:
    """All pictures of a scene in the order in which they are shown; empty where it is made of words alone."""
    frames = [ref for ref in (scene.first_frame, scene.last_frame) if ref]
    if frames:
        return [_still(ref) for ref in frames]
    # An extension goes on from where its video ends; of any other video the beginning stands for it.
    which = "last_frame" if scene.mode == "extend" else "first_frame"
    return [_video(ref, which) for ref in scene.videos] + [_still(ref) for ref in scene.images]


def size_of(picture: Image.Image) -> Size:
    """A picture's size, as a scene's size is worked out from it."""
    return Size(picture.width, picture.height)


def _still(ref: Ref) -> Image.Image:
    match ref.scheme:
        case "file":
            return decode(_read_file(ref), ref.value)
        case "data":
            return decode(_read_data(ref.value), "the data URL")
    return placeholder(ref, "image")


def _video(ref: Ref, which: str) -> Image.Image:
    match ref.scheme:
        case "file":
            return read_frame(Path(ref.value), which)
    return placeholder(ref, "video")


def decode(content: bytes, name: str) -> Image.Image:
    """A picture as RGB, upright, on neutral grey where it is transparent; `name` says which one in the error."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures and odd profiles; our own limit below decides instead.
            warnings.simplefilter("ignore")
            return _decoded(content, name)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, EOFError) as error:
        raise MediaError(f"{name} is not a picture that can be read", code="input") from error


def _decoded(content: bytes, name: str) -> Image.Image:
    with Image.open(io.BytesIO(content)) as opened:
        if opened.width * opened.height > _MOST_PIXELS:
            raise MediaError(
                f"{name} has {opened.width}×{opened.height} pixels; a draft takes 100 million", code="input"
            )
        upright = ImageOps.exif_transpose(opened)
        if upright.mode in ("RGBA", "LA", "PA", "P"):
            clear = upright.convert("RGBA")
            ground = Image.new("RGBA", clear.size, (96, 96, 98, 255))
            return Image.alpha_composite(ground, clear).convert("RGB")
        return upright.convert("RGB")


def _read_file(ref: Ref) -> bytes:
    path = Path(ref.value)
    try:
        if not path.is_file():
            raise MediaError(f"{ref.value} is not a file", code="input")
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise MediaError(f"{ref.value} cannot be read: {error}", code="input") from error
    if len(content) > _MOST_BYTES:
        raise MediaError(f"{ref.value} is larger than 200 MB", code="input")
    if ref.sha256 and hashlib.sha256(content).hexdigest() != ref.sha256:
        raise MediaError(f"{ref.value} changed after the plan was made", help="Run the command again.", code="input")
    return content


def _read_data(url: str) -> bytes:
    head, comma, payload = url.partition(",")
    if not comma:
        raise MediaError("the data URL has no content", code="input")
    raw = unquote_to_bytes(payload)
    if not head.endswith(";base64"):
        return raw
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error as error:
        raise MediaError("the data URL is not base64", code="input") from error
