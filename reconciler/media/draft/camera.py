"""Reads the camera move from the prompt, and computes where the camera looks at each moment. Pure.

The patterns of the table below, English and Chinese, are searched in the prompt. Each axis takes its first match, so
"push in while panning left" does both. Words for a static camera override all others. A prompt without a move gets a
slow drift inward, because a completely still picture looks like a stalled player.
"""

from __future__ import annotations

import math
import re
from typing import Final

from reconciler.frozen import dataclass

HEADROOM: Final = 1.25
"""The strongest zoom; pictures are prepared this much larger than the frame, so that it stays sharp."""

_TRAVEL_ZOOM: Final = 1.14  # zoom while the camera pans, so that it has space to move
_PUSH: Final = 0.18
_DRIFT: Final = 0.05
_FAST: Final = 1.35
_SLOW: Final = 0.7


@dataclass(frozen=True, slots=True)
class Camera:
    """A move: each axis is -1, 0 or 1. `zoom` 1 goes in, `x` 1 goes right, `y` 1 goes down."""

    zoom: int = 0
    x: int = 0
    y: int = 0
    orbit: bool = False
    fixed: bool = False
    speed: float = 1.0

    def __str__(self) -> str:
        """The move in a few words, as the caption shows it."""
        if self.fixed:
            return "static"
        parts = (
            "orbit" if self.orbit else "",
            {1: "push in", -1: "pull out"}.get(self.zoom, ""),
            {1: "pan right", -1: "pan left"}.get(self.x, ""),
            {1: "tilt down", -1: "tilt up"}.get(self.y, ""),
        )
        return " · ".join(filter(None, parts)) or "drift"


@dataclass(frozen=True, slots=True)
class CameraView:
    """A view: `zoom` from 1; `x` and `y` from -1 to 1 within the free space."""

    zoom: float
    x: float
    y: float


def _pattern(english: str, chinese: str) -> re.Pattern[str]:
    """Return a pattern for whole English words (spaces also match hyphens) or any of the Chinese ones."""
    spaced = english.replace(" ", r"[\s-]+")
    return re.compile(rf"\b(?:{spaced})\b|{chinese}", re.IGNORECASE)


_PAN: Final = r"(?:pan|pans|panning|truck|trucks|trucking|track|tracks|tracking|slide|slides|sliding|dolly|dollies)"
_TILT: Final = r"(?:tilt|tilts|tilting|crane|cranes|craning|pedestal|boom|booms|camera moves|camera rises)"
_GLIDE: Final = r"(?: smoothly| slowly| gently| steadily)?(?: to the| to)?"

_FIXED: Final = _pattern(
    r"static (?:camera|shot|frame|framing)|fixed (?:camera|shot|frame)|locked(?: off| down)?(?: camera| shot)?"
    r"|lock off|tripod(?: shot)?|camera (?:is |stays |remains |holds )?(?:static|still|fixed|locked)|no camera movement"
    r"|static",
    "固定镜头|固定机位|固定视角|固定|静止镜头|镜头静止|镜头不动|定镜",
)
_AXES: Final = (
    (
        "orbit",
        1,
        _pattern(
            r"orbit|orbits|orbiting|circle around|circles around|circling|arc shot|revolve around|rotates around",
            "环绕|绕拍|旋转拍摄|围绕",
        ),
    ),
    (
        "zoom",
        1,
        _pattern(
            r"push(?:es|ing)? in|(?:slow|gentle|camera) push(?:es)?|doll(?:y|ies|ying) in|zoom(?:s|ing)? in"
            r"|moves? in|creep(?:s|ing)? in|close(?:s|ing)? in on|track(?:s|ing)? in",
            "推进|推近|推镜|镜头推|拉近|前推|变焦推|缓推|慢推",
        ),
    ),
    (
        "zoom",
        -1,
        _pattern(
            r"pull(?:s|ing)? (?:out|back|away)|doll(?:y|ies|ying) (?:out|back)|zoom(?:s|ing)? out|moves? back"
            r"|track(?:s|ing)? (?:out|back)",
            "拉远|拉出|拉镜|后拉|镜头拉开|拉开|变焦拉",
        ),
    ),
    ("x", -1, _pattern(rf"{_PAN}{_GLIDE} left|camera moves left|left pan", "左移|左摇|向左|往左|左平移")),
    ("x", 1, _pattern(rf"{_PAN}{_GLIDE} right|camera moves right|right pan", "右移|右摇|向右|往右|右平移")),
    ("x", 1, _pattern("camera pans|panning shot|slow pan|tracking shot", "横移|平移|摇镜")),
    ("y", -1, _pattern(rf"{_TILT}{_GLIDE} up|camera rises|crane shot", "上移|上摇|上升|升镜|向上|往上")),
    ("y", 1, _pattern(rf"{_TILT}{_GLIDE} down|camera (?:lowers|descends)", "下移|下摇|下降|降镜|向下|往下")),
)
_SLOWLY: Final = _pattern(r"slow|slowly|gentle|gently|subtle|creep", "缓慢|缓缓|慢慢|轻轻|缓推|慢推")
_QUICKLY: Final = _pattern(r"fast|quick|quickly|rapid|rapidly|whip|crash", "快速|迅速|急速|猛")


def read_camera(prompt: str, *, fixed: bool = False) -> Camera:
    """Return the move that a prompt asks for; `fixed` comes from the spec and overrides the prompt."""
    if fixed or _FIXED.search(prompt):
        return Camera(fixed=True)
    directions: dict[str, int] = {}
    for axis, direction, pattern in _AXES:
        if axis not in directions and pattern.search(prompt):
            directions[axis] = direction
    speed = _SLOW if _SLOWLY.search(prompt) else _FAST if _QUICKLY.search(prompt) else 1.0
    zoom, x, y = (directions.get(axis, 0) for axis in ("zoom", "x", "y"))
    return Camera(zoom, x, y, orbit="orbit" in directions, speed=speed)


def view_at(camera: Camera, moment: float) -> CameraView:
    """Return the view at `moment`, 0 at the first frame and 1 at the last."""
    if camera.fixed:
        return CameraView(1.0, 0.0, 0.0)
    eased = ease(moment)
    travel = 2 * eased - 1
    extent = min(1.0, camera.speed)
    if camera.orbit:
        # One picture allows no real orbit: an arc with a swelling zoom looks like one.
        swell = math.sin(math.pi * eased)
        return CameraView(_TRAVEL_ZOOM + 0.06 * swell + _added_zoom(camera, eased), travel * extent, 0.25 - 0.4 * swell)
    if camera.x or camera.y:
        zoom = min(HEADROOM, _TRAVEL_ZOOM + _added_zoom(camera, eased))
        return CameraView(zoom, camera.x * travel * extent, camera.y * travel * extent)
    if camera.zoom:
        return CameraView(1.0 + _added_zoom(camera, eased), 0.0, 0.0)
    return CameraView(1.0 + _DRIFT * eased, 0.0, 0.0)


def _added_zoom(camera: Camera, eased: float) -> float:
    amount = min(_PUSH * camera.speed, HEADROOM - 1)
    if camera.x or camera.y or camera.orbit:
        amount /= 3
    return {1: amount * eased, 0: 0.0, -1: amount * (1 - eased)}[camera.zoom]


def ease(moment: float) -> float:
    """Return an eased moment: slow at both ends; gentler than a smoothstep, so that short clips do not jerk."""
    smooth = moment * moment * (3 - 2 * moment)
    return 0.5 * moment + 0.5 * smooth
