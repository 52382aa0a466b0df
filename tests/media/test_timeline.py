"""Something is on screen at every frame, and the right picture at the ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.media.draft.camera import Camera
from reconciler.media.draft.scene import FPS
from reconciler.media.draft.timeline import first_to_last, montage, room_for, visible_shots

FRAMES = st.integers(1, 60).map(lambda seconds: seconds * FPS)


@given(st.integers(1, 40), FRAMES)
def test_a_montage_shows_each_picture_and_leaves_no_frame_empty(pictures: int, frames: int) -> None:
    if not room_for(pictures, frames):
        return
    shots = montage(pictures, frames)
    whole = set()
    for frame in range(frames):
        shown = visible_shots(shots, frame)
        assert shown[0].share == 1
        whole |= {visible.shot.picture for visible in shown if visible.share == 1}
    assert whole == set(range(pictures))


@given(FRAMES)
def test_a_pair_begins_with_the_first_and_ends_on_the_whole_last(frames: int) -> None:
    shots = first_to_last(frames)
    assert [visible.shot.picture for visible in visible_shots(shots, 0)] == [0]
    last = visible_shots(shots, frames - 1)[-1]
    assert (last.shot.picture, last.share) == (1, 1.0)
    assert last.shot.view(Camera(zoom=1, x=1), frames - 1).zoom == pytest.approx(1)
