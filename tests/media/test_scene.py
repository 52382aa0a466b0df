"""What the dialect sends is what the renderer reads; sizes are the owner's."""

from __future__ import annotations

import pytest

from reconciler.diagnostics import MediaError
from reconciler.media.draft.scene import Size, frame_size, read_scene
from reconciler.providers.base import MediaRef
from reconciler.providers.draft.dialect import Draft

from .conftest import job

SIZES = {
    ("480p", "16:9"): (864, 496),
    ("480p", "9:16"): (496, 864),
    ("480p", "4:3"): (752, 560),
    ("480p", "3:4"): (560, 752),
    ("480p", "1:1"): (640, 640),
    ("480p", "21:9"): (992, 432),
    ("720p", "16:9"): (1280, 720),
    ("720p", "9:16"): (720, 1280),
    ("720p", "4:3"): (1112, 834),
    ("1080p", "16:9"): (1920, 1080),
    ("1080p", "21:9"): (2206, 946),
    ("2k", "16:9"): (2560, 1440),  # not in the owner's table: the shorter side
    ("2k", "21:9"): (3360, 1440),
    ("4k", "16:9"): (3840, 2160),
    ("4k", "1:1"): (2880, 2880),
}


@pytest.mark.parametrize(("asked", "size"), SIZES.items())
def test_a_draft_has_the_size_of_its_final_clip(asked: tuple[str, str], size: tuple[int, int]) -> None:
    scene = read_scene(Draft().submit(job(resolution=asked[0], ratio=asked[1])).body)
    assert frame_size(scene, None) == Size(*size)


@pytest.mark.parametrize(
    ("first", "size"),
    [
        (None, (864, 496)),
        (Size(1000, 500), (960, 480)),
        (Size(500, 1000), (480, 960)),
        (Size(333, 333), (480, 480)),
        (Size(9000, 10), (1120, 480)),
        (Size(10, 9000), (480, 1120)),
    ],
)
def test_adaptive_takes_the_first_pictures_shape_within_bounds(first: Size | None, size: tuple[int, int]) -> None:
    assert frame_size(read_scene(Draft().submit(job(ratio="adaptive")).body), first) == Size(*size)


def test_every_size_of_the_catalogue_has_even_sides() -> None:
    model = Draft().models[0]
    for resolution in model.resolutions:
        for ratio in model.ratios:
            size = frame_size(read_scene(Draft().submit(job(resolution=resolution, ratio=ratio)).body), None)
            assert size.width % 2 == size.height % 2 == 0


def test_a_scene_survives_the_way_there() -> None:
    asked = job(first_frame=MediaRef("file", "a.png", "ff"), seed=7, take=3, audio=True, camera_fixed=True, duration=9)
    scene = read_scene(Draft().submit(asked).body)
    assert (scene.seed, scene.take, scene.audio, scene.camera_fixed, scene.frames) == (7, 3, True, True, 216)
    assert scene.first_frame is not None and scene.first_frame.sha256 == "ff"


def test_what_is_not_declared_has_the_catalogues_default() -> None:
    scene = read_scene(Draft().submit(job(duration=None)).body)
    assert (scene.duration, scene.resolution, scene.ratio, scene.audio) == (5, "480p", "16:9", False)


@pytest.mark.parametrize(
    "damage",
    [
        {"duration": 0}, {"duration": 61}, {"duration": "5"}, {"duration": True}, {"prompt": None}, {"images": None},
        {"images": [1]}, {"ratio": "5:1"}, {"resolution": "8k"}, {"first_frame": {"scheme": "file"}}, {"take": None},
    ],
)  # fmt: skip
def test_a_damaged_scene_is_refused(damage: dict[str, object]) -> None:
    body = Draft().submit(job()).body
    assert isinstance(body, dict)
    with pytest.raises(MediaError):
        read_scene(body | damage)


@pytest.mark.parametrize("body", [None, [], "scene", 5])
def test_what_is_no_scene_is_refused(body: object) -> None:
    with pytest.raises(MediaError):
        read_scene(body)
