"""Decides when each picture is visible, and how one dissolves into the next. Pure."""

from __future__ import annotations

from typing import Final

from reconciler.frozen import dataclass
from reconciler.media.draft.camera import Camera, CameraView, ease, view_at
from reconciler.media.draft.scene import FPS

SHORTEST: Final = round(0.8 * FPS)
"""Frames; a picture visible for less is not noticed, so such a montage becomes one contact sheet."""

_DISSOLVE: Final = FPS // 2


@dataclass(frozen=True, slots=True)
class Shot:
    """One visible picture: frames from `start` to `end` (exclusive), fading in over its first `fade` frames."""

    picture: int
    start: int
    end: int
    fade: int
    arriving: bool = False  # ends with the whole picture instead of beginning with it

    def view(self, camera: Camera, frame: int) -> CameraView:
        """Return the camera's view of this picture at a frame of the clip."""
        moment = (frame - self.start) / max(1, self.end - 1 - self.start)
        if not self.arriving:
            return view_at(camera, moment)
        # The first picture's move continues, but must come to rest on the requested last frame.
        settle = 1 - ease(moment)
        moving = view_at(camera, moment)
        return CameraView(1 + (moving.zoom - 1) * settle, moving.x * settle, moving.y * settle)


@dataclass(frozen=True, slots=True)
class VisibleShot:
    """One picture's share in one frame."""

    shot: Shot
    share: float


def first_to_last(frames: int) -> tuple[Shot, ...]:
    """Return the shots from picture 0 to picture 1: the fade takes the third of the clip after its middle."""
    begin = round(frames * 0.45)
    return (
        Shot(0, 0, frames, 0),
        Shot(1, begin, frames, max(1, round(frames * 0.35)), arriving=True),
    )


def montage(pictures: int, frames: int) -> tuple[Shot, ...]:
    """Return the shots of pictures in sequence, equally long, dissolving into each other."""
    cuts = [round(frames * index / pictures) for index in range(pictures + 1)]
    fade = min(_DISSOLVE, frames // pictures // 2)
    shots = []
    for index in range(pictures):
        lead = fade if index else 0
        end = frames if index == pictures - 1 else cuts[index + 1] + fade - fade // 2
        shots.append(Shot(index, max(0, cuts[index] - fade // 2), end, lead))
    return tuple(shots)


def room_for(pictures: int, frames: int) -> bool:
    """Return True if each picture of a montage is visible for long enough."""
    return pictures * SHORTEST <= frames


def visible_shots(shots: tuple[Shot, ...], frame: int) -> list[VisibleShot]:
    """Return the visible shots at a frame, lowest first, without those that a later shot covers completely."""
    visible: list[VisibleShot] = []
    for shot in shots:
        if shot.start <= frame < shot.end:
            share = ease(min(1.0, (frame - shot.start + 1) / (shot.fade + 1)))
            visible = [*visible, VisibleShot(shot, share)] if share < 1 else [VisibleShot(shot, share)]
    return visible
