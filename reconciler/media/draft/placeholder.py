"""A plain card in place of an input that a draft must not fetch."""

from __future__ import annotations

from urllib.parse import urlsplit

from PIL import Image, ImageDraw

from reconciler.media.blank import GROUND, LINE, pictogram
from reconciler.media.draft.scene import Ref
from reconciler.media.draft.type import elided, face

_SIZE = (1280, 720)
_QUIET = (150, 156, 164)
_CLEAR = (222, 225, 228)


def placeholder(ref: Ref, kind: str) -> Image.Image:
    """Return the card: the kind of input, and its address without the query, which may hold a signature."""
    card = Image.new("RGB", _SIZE, GROUND)
    draw = ImageDraw.Draw(card)
    centre = _SIZE[0] // 2
    _frame_marks(draw)
    pictogram(draw, centre, 262)
    draw.text((centre, 392), f"remote {kind} — not fetched by a draft", _QUIET, face(24), anchor="mm")
    draw.text((centre, 440), elided(_address(ref), face(30), 940), _CLEAR, face(30), anchor="mm")
    return card


def _address(ref: Ref) -> str:
    """Return the part of an input's address that is safe to show."""
    if ref.scheme != "https":
        return ref.value.partition(",")[0]
    try:
        parts = urlsplit(ref.value)
        return f"{parts.hostname or ''}{parts.path}"
    except ValueError:
        return "an invalid address"


def _frame_marks(draw: ImageDraw.ImageDraw) -> None:
    """Draw corner marks as in a viewfinder, far enough inside to survive cropping."""
    x_start, top, x_end, bottom, arm = 330, 150, 950, 530, 34
    for x, dx in ((x_start, arm), (x_end, -arm)):
        for y, dy in ((top, arm), (bottom, -arm)):
            draw.line((x, y, x + dx, y), LINE, 3)
            draw.line((x, y, x, y + dy), LINE, 3)
