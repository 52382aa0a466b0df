"""The card that stands for a clip made of words alone."""

from PIL import Image

from reconciler.media.draft.camera import Camera
from reconciler.media.draft.scene import Scene, Size
from reconciler.media.draft.stage import Stage, picture_stage


def card_stage(scene: Scene, camera: Camera, size: Size) -> Stage:
    """A plain ground."""
    return picture_stage([Image.linear_gradient("L").convert("RGB")], False, camera, size, scene.frames)
