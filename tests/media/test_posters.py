"""A poster shows what the clip is: never the caption of a draft, never the black that a film fades in from."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from reconciler.diagnostics import MediaError
from reconciler.media.posters import poster

from .conftest import Draw, Film, local, near

RED, BLACK, WHITE = (200, 40, 30), (0, 0, 0), (255, 255, 255)
STRIPES = "stripes"


def made(video: Path, out: Path, side: int = 320) -> Image.Image:
    poster(video, out, side)
    with Image.open(out) as picture:
        assert picture.format == "JPEG"
        return picture.convert("RGB")


@pytest.mark.parametrize(
    ("ratio", "size"), [("16:9", (320, 184)), ("9:16", (184, 320)), ("1:1", (320, 320)), ("21:9", (320, 139))]
)
def test_the_longer_side_is_the_one_asked_for(ratio: str, size: tuple[int, int], draw: Draw, tmp_path: Path) -> None:
    assert made(draw(ratio=ratio), tmp_path / "p.jpg").size == size


def test_a_small_clip_is_not_blown_up(film: Film, tmp_path: Path) -> None:
    assert made(film([STRIPES] * 3), tmp_path / "p.jpg", side=640).size == (64, 36)


def test_a_drafts_poster_carries_no_caption(draw: Draw, red: Path, tmp_path: Path) -> None:
    """Every pixel of a draft of a red picture is red on its first frame; captions are white on a dark strip."""
    picture = made(draw(first_frame=local(red)), tmp_path / "p.jpg")
    assert all(near(picture.getpixel((x, y)), RED) for x in range(4, 320, 13) for y in range(4, 180, 11))


@pytest.mark.parametrize("dull", [BLACK, WHITE])
def test_a_clip_that_fades_in_is_shown_by_what_comes_after(
    dull: tuple[int, int, int], film: Film, tmp_path: Path
) -> None:
    picture = made(film([dull] * 6 + [STRIPES] * 18), tmp_path / "p.jpg")
    light = [picture.convert("L").getpixel((x, 18)) for x in (4, 12, 20, 28)]
    assert max(light) - min(light) > 150  # type: ignore[type-var, operator]  # of "L", a pixel is a number


def test_a_clip_of_nothing_but_black_has_a_black_poster(film: Film, tmp_path: Path) -> None:
    assert near(made(film([BLACK] * 8), tmp_path / "p.jpg").getpixel((30, 18)), BLACK)


def test_the_same_clip_gives_the_same_bytes(draw: Draw, tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        poster(draw(), tmp_path / name, 320)
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()


@pytest.mark.parametrize("content", [b"", b"not a video", b"\0\0\0\x18ftypmp42" + bytes(40)])
def test_a_damaged_video_gives_a_plain_card(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(content)
    picture = made(tmp_path / "broken.mp4", tmp_path / "p.jpg")
    assert picture.size == (320, 180)
    assert near(picture.getpixel((5, 5)), (38, 41, 46))


def test_a_video_cut_short_shows_what_is_left_of_it(draw: Draw, tmp_path: Path) -> None:
    whole = draw(duration=2).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    assert (
        made(tmp_path / "cut.mp4", tmp_path / "p.jpg").tobytes() == made(draw(duration=2), tmp_path / "q.jpg").tobytes()
    )


def test_a_poster_is_whole_or_absent(draw: Draw, tmp_path: Path) -> None:
    (tmp_path / "p.jpg").mkdir()
    with pytest.raises(MediaError, match=r"cannot write p\.jpg"):
        poster(draw(), tmp_path / "p.jpg", 320)
    assert [path.name for path in tmp_path.iterdir()] == ["p.jpg"]
