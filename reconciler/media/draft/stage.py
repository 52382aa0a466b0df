"""The scenery that the camera films: still pictures, or a card whose layers move apart."""

from __future__ import annotations

import math
from typing import Final, Protocol

from PIL import Image

from reconciler.frozen import dataclass
from reconciler.media.draft.camera import Camera
from reconciler.media.draft.planes import Planes, bordered, planes
from reconciler.media.draft.scene import Size
from reconciler.media.draft.timeline import Shot, first_to_last, montage, room_for, visible_shots

_CANVAS: Final = 1.4
"""Pictures are prepared this much larger than the frame: the strongest zoom and some more, because a view can only be
sampled precisely where it is reduced by a tenth or more."""

_WIDEST_PAN: Final = 1.7
"""A panorama is cropped to this many frame heights: a pan over all of it would be too fast."""

_GUTTER: Final = 10
_BOARD: Final = (24, 25, 28)


class Stage(Protocol):
    """Scenery that can be filmed."""

    def frame(self, index: int) -> Planes:
        """Return the picture at a frame of the clip; the caller may draw on it."""


@dataclass(frozen=True, slots=True)
class PictureStage:
    """Pictures prepared for one frame size, and the times when each is visible."""

    canvases: tuple[Planes, ...]
    shots: tuple[Shot, ...]
    camera: Camera
    size: Size

    def frame(self, index: int) -> Planes:
        """Return the visible pictures, each seen by the camera, blended."""
        frame: Planes | None = None
        for visible in visible_shots(self.shots, index):
            canvas = self.canvases[visible.shot.picture]
            view = canvas.seen_by(visible.shot.view(self.camera, index), (self.size.width, self.size.height))
            frame = view if frame is None else frame.blended(view, visible.share)
        assert frame is not None  # shots cover every frame of the clip
        return frame


def picture_stage(stills: list[Image.Image], pair: bool, camera: Camera, size: Size, frames: int) -> PictureStage:
    """Return a stage for pictures: a pair from first to last, others as a montage, many as one sheet."""
    if pair:
        shots = first_to_last(frames)
    else:
        if not room_for(len(stills), frames):
            stills = [contact_sheet(stills, size)]
        shots = montage(len(stills), frames)
    return PictureStage(tuple(planes(bordered(cover(picture, size))) for picture in stills), shots, camera, size)


def cover(picture: Image.Image, size: Size) -> Image.Image:
    """Return a picture large enough to fill the frame, with some margin for the camera; even sides.

    Filling crops what does not fit the frame's shape, equally on both sides. Letterboxing would keep everything, but an
    animatic serves to judge the framing, and the paid clip will fill its frame too.
    """
    scale = max(size.width / picture.width, size.height / picture.height)
    most = (size.width * _WIDEST_PAN / scale, size.height * _WIDEST_PAN / scale)
    crop_x = max(0.0, (picture.width - most[0]) / 2)
    crop_y = max(0.0, (picture.height - most[1]) / 2)
    box = (crop_x, crop_y, picture.width - crop_x, picture.height - crop_y)
    wide = 2 * math.ceil((box[2] - box[0]) * scale * _CANVAS / 2)
    high = 2 * math.ceil((box[3] - box[1]) * scale * _CANVAS / 2)
    return picture.resize((wide, high), Image.Resampling.LANCZOS, box, reducing_gap=3.0)


def contact_sheet(stills: list[Image.Image], size: Size) -> Image.Image:
    """Return many pictures side by side on a dark board, as close to the frame's shape as their number allows."""
    columns = math.ceil(math.sqrt(len(stills)))
    rows = math.ceil(len(stills) / columns)
    sheet = Image.new("RGB", (round(size.width * _CANVAS), round(size.height * _CANVAS)), _BOARD)
    wide = (sheet.width - _GUTTER * (columns + 1)) // columns
    high = (sheet.height - _GUTTER * (rows + 1)) // rows
    for index, picture in enumerate(stills):
        row, column = divmod(index, columns)
        in_row = min(columns, len(stills) - row * columns)
        indent = (sheet.width - in_row * (wide + _GUTTER) - _GUTTER) // 2
        cell = _filled(picture, wide, high)
        sheet.paste(cell, (indent + _GUTTER + column * (wide + _GUTTER), _GUTTER + row * (high + _GUTTER)))
    return sheet


def _filled(picture: Image.Image, wide: int, high: int) -> Image.Image:
    scale = max(wide / picture.width, high / picture.height)
    crop_x = (picture.width - wide / scale) / 2
    crop_y = (picture.height - high / scale) / 2
    box = (crop_x, crop_y, picture.width - crop_x, picture.height - crop_y)
    return picture.resize((wide, high), Image.Resampling.LANCZOS, box, reducing_gap=3.0)
