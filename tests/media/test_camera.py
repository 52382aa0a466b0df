"""A prompt's words move the camera. To teach a word: add a row."""

from __future__ import annotations

import pytest

from reconciler.media.draft.camera import HEADROOM, Camera, read_camera, view_at

WORDS = [
    ("slow push-in", "push in"),
    ("Slow Push In over the valley", "push in"),
    ("the camera pushes in", "push in"),
    ("dolly in on her face", "push in"),
    ("a slow zoom in", "push in"),
    ("a slow push on the lamp", "push in"),
    ("pull back to reveal the city", "pull out"),
    ("slow zoom-out", "pull out"),
    ("the camera pulls away", "pull out"),
    ("pan left", "pan left"),
    ("camera slowly pans to the left", "pan left"),
    ("truck right along the shelf", "pan right"),
    ("the camera pans across the room", "pan right"),
    ("tilt up to the sky", "tilt up"),
    ("crane down", "tilt down"),
    ("the camera orbits the lamp", "orbit"),
    ("circling the statue", "orbit"),
    ("push in while panning right", "push in · pan right"),
    ("static shot of a door", "static"),
    ("locked-off camera, pan left in the story only", "static"),
    ("tripod", "static"),
    ("镜头缓缓推进", "push in"),
    ("推近到脸部", "push in"),
    ("镜头拉远", "pull out"),
    ("镜头左移", "pan left"),
    ("右摇", "pan right"),
    ("向上摇，上摇", "tilt up"),
    ("镜头下降", "tilt down"),
    ("环绕拍摄", "orbit"),
    ("固定镜头", "static"),
    ("固定机位，人物推进门里", "static"),
    ("推进同时右移", "push in · pan right"),
    # words that only look like camera moves
    ("a frying pan on a stove", "drift"),
    ("people push a cart uphill", "drift"),
    ("the sun rises", "drift"),
    ("a leftover sandwich", "drift"),
    ("", "drift"),
]


@pytest.mark.parametrize(("prompt", "move"), WORDS)
def test_words_move_the_camera(prompt: str, move: str) -> None:
    assert str(read_camera(prompt)) == move


def test_camera_fixed_in_the_spec_wins_over_the_prompt() -> None:
    assert str(read_camera("slow push-in, pan left", fixed=True)) == "static"


def test_slow_moves_less_than_fast() -> None:
    slow, fast = (view_at(read_camera(f"{word} push in"), 1.0).zoom for word in ("slow", "fast"))
    assert 1 < slow < fast <= HEADROOM


ALL = [Camera(zoom=z, x=x, y=y, orbit=o, speed=s) for z in (-1, 0, 1) for x in (-1, 0, 1) for y in (-1, 0, 1)
       for o in (False, True) for s in (0.7, 1.0, 1.35)]  # fmt: skip


@pytest.mark.parametrize("camera", ALL)
def test_every_move_stays_within_the_picture_and_never_jumps(camera: Camera) -> None:
    views = [view_at(camera, index / 119) for index in range(120)]
    assert all(1 <= view.zoom <= HEADROOM and abs(view.x) <= 1 and abs(view.y) <= 1 for view in views)
    steps = zip(views, views[1:], strict=False)
    assert all(abs(a.zoom - b.zoom) < 0.01 and abs(a.x - b.x) < 0.05 and abs(a.y - b.y) < 0.05 for a, b in steps)


def test_a_push_begins_on_the_whole_picture() -> None:
    assert view_at(read_camera("push in"), 0.0).zoom == 1


def test_pan_left_looks_further_left_at_the_end() -> None:
    camera = read_camera("pan left")
    assert view_at(camera, 1.0).x < view_at(camera, 0.0).x
