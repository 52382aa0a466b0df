"""A frame taken out of a video is the one that a player shows there."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from PIL import Image, ImageChops

from reconciler.media.frames import extract_frame

from .conftest import Draw, local


def decoded(video: Path) -> list[Image.Image]:
    with av.open(str(video)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]


@pytest.mark.parametrize(("which", "place"), [("first_frame", 0), ("last_frame", -1)])
def test_it_equals_the_decoded_frame(draw: Draw, tmp_path: Path, which: str, place: int) -> None:
    video = draw(duration=2)
    extract_frame(video, which, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as taken:
        assert ImageChops.difference(taken, decoded(video)[place]).getbbox() is None


def test_it_has_the_same_bytes_each_time(draw: Draw, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        extract_frame(draw(), "last_frame", tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_chain_begins_where_the_clip_before_ended(draw: Draw, tmp_path: Path, red: Path, blue: Path) -> None:
    """Neither caption nor mark is on the frames that other clips start from, and colours do not drift."""
    frame = tmp_path / "last.png"
    extract_frame(draw(first_frame=local(red), last_frame=local(blue)), "last_frame", frame)
    first = decoded(draw(first_frame=local(frame)))[0]
    with Image.open(frame) as before:
        assert max(high for _, high in ImageChops.difference(before, first).getextrema()) <= 4
