"""A preview is short, silent and small, starts at once, and shows no seam where it begins again."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from reconciler.diagnostics import MediaError
from reconciler.media.facts import VideoFacts
from reconciler.media.previews import preview
from reconciler.media.probe import probe

from .conftest import Draw, Film, local, near


def made(video: Path, folder: Path, side: int = 320) -> tuple[VideoFacts, list[Image.Image]]:
    preview(video, folder / "p.mp4", side)
    with av.open(str(folder / "p.mp4")) as container:
        frames = [frame.to_image() for frame in container.decode(video=0)]
    return probe(folder / "p.mp4"), frames


def step(one: Image.Image, other: Image.Image) -> float:
    """How far two pictures are apart, of 255."""
    return float(ImageStat.Stat(ImageChops.difference(one.convert("L"), other.convert("L"))).mean[0])


def test_a_long_clip_has_a_loop_of_three_seconds(draw: Draw, tmp_path: Path) -> None:
    facts, _ = made(draw(duration=4), tmp_path)
    assert (facts.duration_ms, facts.frames, facts.width, facts.height) == (3000, 72, 320, 184)


def test_a_short_clip_has_a_loop_of_most_of_it(draw: Draw, tmp_path: Path) -> None:
    assert made(draw(duration=1), tmp_path)[0].frames == 24 - 6


def test_one_frame_is_a_loop_too(film: Film, tmp_path: Path) -> None:
    facts, frames = made(film([(200, 40, 30)]), tmp_path)
    assert facts.frames == 1
    assert near(frames[0].getpixel((30, 18)), (200, 40, 30))


def test_it_is_silent_even_if_the_clip_is_not(draw: Draw, tmp_path: Path) -> None:
    assert probe(draw(audio=True)).audio
    assert not made(draw(audio=True), tmp_path)[0].audio


def test_its_index_comes_first_so_that_it_plays_while_it_loads(draw: Draw, tmp_path: Path) -> None:
    made(draw(), tmp_path)
    content = (tmp_path / "p.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_it_is_light(draw: Draw, tmp_path: Path) -> None:
    video = draw(duration=2, prompt="mist over mountains, slow push-in", resolution="720p")
    made(video, tmp_path, side=400)
    assert (tmp_path / "p.mp4").stat().st_size < min(50_000, video.stat().st_size / 4)


def test_the_loop_closes_without_a_jump(draw: Draw, red: Path, blue: Path, tmp_path: Path) -> None:
    """From red to blue: cut off, the loop would jump from one to the other."""
    _, frames = made(draw(duration=2, first_frame=local(red), last_frame=local(blue)), tmp_path)
    assert near(frames[0].getpixel((160, 60)), (200, 40, 30))
    steps = [step(one, other) for one, other in pairwise([*frames, frames[0]])]
    assert steps[-1] <= 2 * max(steps[:-1])
    assert steps[-1] < 12


def test_a_fast_clip_is_thinned_out_and_keeps_its_pace(film: Film, tmp_path: Path) -> None:
    facts, _ = made(film(["stripes"] * 120, rate=60), tmp_path)
    assert facts.frames == 60 - 12
    assert facts.duration_ms == 1600


def test_odd_sides_become_even_ones(draw: Draw, tmp_path: Path) -> None:
    facts, _ = made(draw(ratio="21:9"), tmp_path, side=333)
    assert (facts.width % 2, facts.height % 2) == (0, 0)


def test_the_same_clip_gives_the_same_bytes(draw: Draw, tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        preview(draw(), tmp_path / name, 320)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


@pytest.mark.parametrize("content", [b"", b"not a video", b"\0\0\0\x18ftypmp42" + bytes(40)])
def test_a_damaged_video_has_none_and_leaves_nothing(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(content)
    with pytest.raises(MediaError, match=r"broken\.mp4"):
        preview(tmp_path / "broken.mp4", tmp_path / "p.mp4", 320)
    assert [path.name for path in tmp_path.iterdir()] == ["broken.mp4"]
