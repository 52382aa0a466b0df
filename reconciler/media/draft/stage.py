"""What stands before the camera: still pictures that are moved over, or a card whose layers move apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

from PIL import Image

from reconciler.media.draft.camera import HEADROOM, Camera
from reconciler.media.draft.planes import Planes, planes
from reconciler.media.draft.scene import Size
from reconciler.media.draft.timeline import Shot, first_to_last, glimpses, montage, room_for

_WIDEST_PAN: Final = 1.7
"""A panorama is cut to this many frames' length: a pan over all of it would rush."""

_GUTTER: Final = 10
_BOARD: Final = (24, 25, 28)


class Stage(Protocol):
    """Something that can be filmed."""

    def frame(self, index: int) -> Planes:
        """The picture at a frame of the clip, to be drawn on freely."""


@dataclass(frozen=True, slots=True)
class PictureStage:
    """Pictures prepared for one frame size, and when each is on screen."""

    canvases: tuple[Planes, ...]
    shots: tuple[Shot, ...]
    camera: Camera
    size: Size

    def frame(self, index: int) -> Planes:
        """The pictures on screen, each seen by the camera, faded into one another."""
        shown: Planes | None = None
        for glimpse in glimpses(self.shots, index):
            canvas = self.canvases[glimpse.shot.picture]
            seen = canvas.looked_at(glimpse.shot.view(self.camera, index), (self.size.width, self.size.height))
            shown = seen if shown is None else shown.blended(seen, glimpse.share)
        assert shown is not None  # shots cover every frame of the clip
        return shown


def picture_stage(found: list[Image.Image], pair: bool, camera: Camera, size: Size, frames: int) -> PictureStage:
    """Pictures on a stage: a pair from first to last, others as a montage or, if they are many, as one sheet."""
    if pair:
        shots = first_to_last(frames)
    else:
        if not room_for(len(found), frames):
            found = [contact_sheet(found, size)]
        shots = montage(len(found), frames)
    return PictureStage(tuple(planes(cover(picture, size)) for picture in found), shots, camera, size)


def cover(picture: Image.Image, size: Size) -> Image.Image:
    """A picture large enough to fill the frame, with some to spare for the camera; even sides.

    Filling crops what does not fit the frame's shape, equally on both sides. Letterboxing would keep everything, but
    an animatic is there to judge the framing, and the paid clip will fill its frame too.
    """
    scale = max(size.width / picture.width, size.height / picture.height)
    most = (size.width * _WIDEST_PAN / scale, size.height * _WIDEST_PAN / scale)
    crop_x = max(0.0, (picture.width - most[0]) / 2)
    crop_y = max(0.0, (picture.height - most[1]) / 2)
    box = (crop_x, crop_y, picture.width - crop_x, picture.height - crop_y)
    wide = 2 * math.ceil((box[2] - box[0]) * scale * HEADROOM / 2)
    high = 2 * math.ceil((box[3] - box[1]) * scale * HEADROOM / 2)
    return picture.resize((wide, high), Image.Resampling.LANCZOS, box, reducing_gap=3.0)


def contact_sheet(found: list[Image.Image], size: Size) -> Image.Image:
    """Many pictures side by side on a dark board, as close to the frame's shape as their number allows."""
    columns = math.ceil(math.sqrt(len(found)))
    rows = math.ceil(len(found) / columns)
    sheet = Image.new("RGB", (round(size.width * HEADROOM), round(size.height * HEADROOM)), _BOARD)
    wide = (sheet.width - _GUTTER * (columns + 1)) // columns
    high = (sheet.height - _GUTTER * (rows + 1)) // rows
    for place, picture in enumerate(found):
        row, column = divmod(place, columns)
        in_row = min(columns, len(found) - row * columns)
        indent = (sheet.width - in_row * (wide + _GUTTER) - _GUTTER) // 2
        cell = _filled(picture, wide, high)
        sheet.paste(cell, (indent + _GUTTER + column * (wide + _GUTTER), _GUTTER + row * (high + _GUTTER)))
    return sheet


def _filled(picture: Image.Image, wide: int, high: int) -> Image.Image:
    """The middle of a picture in exactly this size."""
    scale = max(wide / picture.width, high / picture.height)
    crop_x = (picture.width - wide / scale) / 2
    crop_y = (picture.height - high / scale) / 2
    box = (crop_x, crop_y, picture.width - crop_x, picture.height - crop_y)
    return picture.resize((wide, high), Image.Resampling.LANCZOS, box, reducing_gap=3.0)
