"""A card draws only what its shapes cover: the same picture as if each covered the whole frame."""

from __future__ import annotations

import pytest
from PIL import Image, ImageChops, ImageStat

from reconciler.media.draft.camera import read_camera, view_at
from reconciler.media.draft.card import CardStage, Layer, _parallax, card_stage
from reconciler.media.draft.planes import Planes, window
from reconciler.media.draft.scene import Size, read_scene
from reconciler.providers.draft.dialect import Draft
from tests.media.conftest import job

PROMPTS = (
    "a lamp, slow push-in",
    "mist over mountains, pan left",
    "city at night, tilt up",
    "waves, the camera orbits",
)


def slowly(frame: Planes, layer: Layer, stage: CardStage, moment: float) -> None:
    """Lay a layer over all of a frame."""
    view = _parallax(view_at(stage.camera, moment), layer.shape.near)
    place = window(stage.canvas, view, frame.size)
    whole = Image.new("L", stage.canvas)
    whole.paste(layer.shape.mask, (0, layer.shape.top))
    visible = whole.resize(frame.size, Image.Resampling.BILINEAR, place)
    for plane, fill, mask in zip(frame, layer.fill, (visible, visible.reduce(2), visible.reduce(2)), strict=True):
        colours = fill
        if layer.shape.across:
            share = plane.width / frame.light.width
            strip = (place[0] * share, 0, place[2] * share, fill.height)
            colours = fill.resize(plane.size, Image.Resampling.BILINEAR, strip)
        plane.paste(colours, (0, 0), mask)


@pytest.mark.parametrize("size", [Size(320, 180), Size(180, 320)], ids=str)
@pytest.mark.parametrize("prompt", PROMPTS)
def test_only_what_a_shape_covers_is_drawn_and_it_looks_as_if_all_were(prompt: str, size: Size) -> None:
    scene = read_scene(Draft().submit(job(prompt=prompt)).body)
    stage = card_stage(scene, read_camera(prompt), size)
    for index in (0, scene.frames - 1):  # without the title
        expected = stage.ground.copy()
        for layer in stage.layers:
            slowly(expected, layer, stage, index / (scene.frames - 1))
        for drawn, wanted in zip(stage.frame(index), expected, strict=True):
            difference = ImageChops.difference(drawn, wanted)
            assert ImageStat.Stat(difference).mean[0] < 0.1
