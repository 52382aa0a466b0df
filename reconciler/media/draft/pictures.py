"""The pictures of a scene, in display order.

A draft works offline: a remote input is drawn as a placeholder card with its address.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from urllib.parse import unquote_to_bytes

from PIL import Image

from reconciler.diagnostics import MediaError
from reconciler.media.draft.placeholder import placeholder
from reconciler.media.draft.scene import Ref, Scene, Size
from reconciler.media.frames import read_frame
from reconciler.media.stills import decode_still, read_still


def pictures(scene: Scene) -> list[Image.Image]:
    """Return all pictures of a scene in display order; empty if it has only a prompt."""
    frames = [ref for ref in (scene.first_frame, scene.last_frame) if ref]
    if frames:
        return [_still(ref) for ref in frames]
    # An extension continues at the end of its video; any other video is shown by its first frame.
    which = "last_frame" if scene.mode == "extend" else "first_frame"
    return [_video(ref, which) for ref in scene.videos] + [_still(ref) for ref in scene.images]


def size_of(picture: Image.Image) -> Size:
    """Return a picture's size."""
    return Size(picture.width, picture.height)


def _still(ref: Ref) -> Image.Image:
    match ref.scheme:
        case "file":
            return read_still(ref.value, ref.sha256)
        case "data":
            return decode_still(_read_data(ref.value), "the data URL")[0]
    return placeholder(ref, "image")


def _video(ref: Ref, which: str) -> Image.Image:
    match ref.scheme:
        case "file":
            return read_frame(Path(ref.value), which)
    return placeholder(ref, "video")


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
