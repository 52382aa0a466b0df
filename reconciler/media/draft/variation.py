"""How the drafts of takes differ: crop, light and move, by take, retake and seed. Pure.

Takes of a paid model differ; drafts of one picture would not, so that nobody sees which take is which. The first take
without a seed is drawn as it always was. Without a picture, a retake has another card by its key.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PIL import Image

from reconciler.frozen import dataclass
from reconciler.media.draft.camera import Camera
from reconciler.media.draft.scene import Scene

Gains = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Variation:
    """The crop (its share of each side, and where it lies from 0 to 1), the light by colour, and the move of a camera
    without one, with its pace."""

    share: float
    x: float
    y: float
    light: Gains
    drift: Camera
    pace: float

    def picture(self, still: Image.Image) -> Image.Image:
        """Return a picture, cropped and in this light."""
        wide, high = still.width * self.share, still.height * self.share
        left, top = (still.width - wide) * self.x, (still.height - high) * self.y
        cropped = still.crop((round(left), round(top), round(left + wide), round(top + high)))
        return self.lit(cropped)

    def lit(self, still: Image.Image) -> Image.Image:
        """Return a picture in this light."""
        return still.point([min(255, round(level * gain)) for gain in self.light for level in range(256)])

    def camera(self, camera: Camera) -> Camera:
        """Return a move at this pace; this drift if the prompt asks for none."""
        return self.drift if camera == Camera() else replace(camera, speed=camera.speed * self.pace)


_AS_IT_IS: Final = Variation(1.0, 0.5, 0.5, (1.0, 1.0, 1.0), Camera(), 1.0)
_VARIATIONS: Final = (
    _AS_IT_IS,
    Variation(0.82, 0.1, 0.3, (1.12, 1.0, 0.82), Camera(x=1, speed=0.7), 1.25),  # warm, closer, on the left
    Variation(0.82, 0.9, 0.3, (0.84, 0.97, 1.14), Camera(x=-1, speed=0.7), 0.8),  # cool, closer, on the right
    Variation(0.92, 0.5, 0.9, (0.72, 0.72, 0.76), Camera(zoom=-1, speed=0.7), 1.1),  # dim, low
    Variation(0.7, 0.5, 0.4, (1.18, 1.16, 1.08), Camera(zoom=1, speed=0.7), 0.7),  # bright, close
    Variation(0.92, 0.5, 0.1, (0.9, 0.8, 1.12), Camera(y=-1, speed=0.7), 0.9),  # dusk, high
)


_RETAKES: Final = (0, 3, 1, 4, 2, 5)
"""How far a retake is from its take: the first one looks like none of three takes."""


def variation(scene: Scene) -> Variation:
    """Return how a scene is drawn: successive takes and seeds differ, and successive retakes of a picture."""
    number = scene.take - 1 if scene.seed is None else scene.seed
    retake = scene.retake if scene.has_pictures else 0
    return _VARIATIONS[(number + _RETAKES[retake % len(_RETAKES)]) % len(_VARIATIONS)]
