"""A camera that moves slowly moves evenly, though FFmpeg's scaler starts and ends at whole pixels."""

from __future__ import annotations

import pytest
from PIL import Image, ImageStat

from reconciler.media.draft.camera import read_camera, view_at
from reconciler.media.draft.planes import bordered, planes, sampling
from reconciler.media.draft.scene import Size
from reconciler.media.draft.stage import picture_stage

SIZE = Size(320, 180)
FRAMES = 48
WIDE = (448, 252)
"""A canvas as large as the one that is prepared for SIZE, so that its pixels are the picture's."""

MOVES = ("a lamp", "a slow push-in", "pull out", "slow pan left", "fast pan right", "the camera orbits")


def place(light: Image.Image) -> float:
    """Where the edge between black and white is, in pixels from the left."""
    return light.width * (235 - ImageStat.Stat(light).mean[0]) / (235 - 16)


@pytest.mark.parametrize("prompt", MOVES)
def test_an_edge_is_where_the_camera_puts_it_to_a_quarter_of_a_pixel(prompt: str) -> None:
    picture = Image.new("RGB", WIDE, "white")
    edge = 150
    picture.paste((0, 0, 0), (0, 0, edge, WIDE[1]))
    camera = read_camera(prompt)
    stage = picture_stage([picture], False, camera, SIZE, FRAMES)
    for index in range(FRAMES):
        view = view_at(camera, index / (FRAMES - 1))
        wide = WIDE[0] / view.zoom
        start = (WIDE[0] - wide) * (1 + view.x) / 2
        assert place(stage.frame(index).light) == pytest.approx((edge - start) * SIZE.width / wide, abs=0.25)


@pytest.mark.parametrize("colour", ["white", "black", (200, 40, 30)])
def test_a_border_shows_at_no_edge(colour: str | tuple[int, int, int]) -> None:
    picture = Image.new("RGB", WIDE, colour)
    stage = picture_stage([picture], False, read_camera("a lamp"), SIZE, FRAMES)
    for index in range(FRAMES):
        for drawn, whole in zip(stage.frame(index), planes(bordered(picture)), strict=True):
            assert drawn.getextrema() == whole.getextrema()


def test_a_view_is_cut_from_inside_what_is_scaled() -> None:
    for step in range(2_000):
        start = 16 + step * 0.037
        chosen = sampling(start, start + 370 - step * 0.009, 320)
        assert start - 8 < chosen.first <= start
        assert 0 <= chosen.skip <= chosen.scaled - 320
