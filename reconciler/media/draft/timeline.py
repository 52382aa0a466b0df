"""Which picture is shown when, and how one gives way to the next. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reconciler.media.draft.camera import Camera, CameraView, ease, look
from reconciler.media.draft.scene import FPS

SHORTEST: Final = round(0.8 * FPS)
"""A picture shown for fewer frames than this is not seen; then the montage becomes one contact sheet."""

_DISSOLVE: Final = FPS // 2


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture on screen: frames from `start` to `end` (exclusive), fading in over its first `fade` frames."""

    picture: int
    start: int
    end: int
    fade: int
    arriving: bool = False  # ends on the whole picture instead of beginning there

    def view(self, camera: Camera, frame: int) -> CameraView:
        """Where the camera looks in this picture at a frame of the clip."""
        moment = (frame - self.start) / max(1, self.end - 1 - self.start)
        if not self.arriving:
            return look(camera, moment)
        # The move of the first picture goes on, but it has to come to rest on the last frame that was asked for.
        settle = 1 - ease(moment)
        going = look(camera, moment)
        return CameraView(1 + (going.zoom - 1) * settle, going.x * settle, going.y * settle)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """One picture's share in one frame."""

    shot: Shot
    share: float


def first_to_last(frames: int) -> tuple[Shot, ...]:
    """From picture 0 to picture 1: the fade takes the third of the clip after its middle."""
    begin = round(frames * 0.45)
    return (
        Shot(0, 0, frames, 0),
        Shot(1, begin, frames, max(1, round(frames * 0.35)), arriving=True),
    )


def montage(pictures: int, frames: int) -> tuple[Shot, ...]:
    """Pictures one after the other, equally long, dissolving into each other."""
    cuts = [round(frames * index / pictures) for index in range(pictures + 1)]
    fade = min(_DISSOLVE, frames // pictures // 2)
    shots = []
    for index in range(pictures):
        lead = fade if index else 0
        end = frames if index == pictures - 1 else cuts[index + 1] + fade - fade // 2
        shots.append(Shot(index, max(0, cuts[index] - fade // 2), end, lead))
    return tuple(shots)


def room_for(pictures: int, frames: int) -> bool:
    """Whether each picture of a montage is on screen for long enough to be seen."""
    return pictures * SHORTEST <= frames


def glimpses(shots: tuple[Shot, ...], frame: int) -> list[Glimpse]:
    """What is on screen at a frame, lowest first; what a later shot covers whole is left out."""
    shown: list[Glimpse] = []
    for shot in shots:
        if shot.start <= frame < shot.end:
            share = ease(min(1.0, (frame - shot.start + 1) / (shot.fade + 1)))
            shown = [*shown, Glimpse(shot, share)] if share < 1 else [Glimpse(shot, share)]
    return shown
