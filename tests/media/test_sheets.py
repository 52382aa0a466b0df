"""A contact sheet shows each clip once, in order, with its name; it never takes the place of a user's file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from reconciler.diagnostics import MediaError
from reconciler.media.facts import Cell, Sheet
from reconciler.media.sheets import PAGE, columns, draw_sheet

from .conftest import near

RED, BLUE, PAPER, GROUND = (200, 40, 30), (30, 60, 190), (250, 250, 249), (38, 41, 46)
LEFT, TOP, WIDE, HIGH, NEXT, BELOW = 28, 64, 300, 169, 320, 243
"""Of the first cell of 16:9: its place, its size, and how far it is to the next one and to the one below."""


def cell(poster: Path | None, name: str = "hero", **fields: str) -> Cell:
    return Cell(
        **{"name": name, "note": "", "state": "ready", "cost": "free", **fields, "poster": poster and str(poster)}
    )  # type: ignore[arg-type]  # a table


def drawn(cells: list[Cell], out: Path) -> Image.Image:
    assert draw_sheet(Sheet("aurora", f"{len(cells)} clips", tuple(cells)).dumps(), str(out))[0] == str(out)
    with Image.open(out) as picture:
        return picture.convert("RGB")


def ink(picture: Image.Image, box: tuple[int, int, int, int]) -> float:
    """Which part of an area is darker than paper."""
    area = picture.crop(box).convert("L")
    return sum(area.histogram()[:200]) / (area.width * area.height)


def test_pictures_stand_in_order_with_names_under_them(red: Path, blue: Path, tmp_path: Path) -> None:
    picture = drawn([cell(red), cell(blue), cell(red), cell(None), cell(blue)], tmp_path / "s.png")
    assert picture.size == (2 * 28 + 3 * 320 - 20, 64 + 28 + 2 * BELOW)
    middles = [(LEFT + WIDE // 2 + x * NEXT, TOP + 20 + y * BELOW) for y in (0, 1) for x in (0, 1, 2)]
    colours = [picture.getpixel(middle) for middle in middles]
    assert [near(c, w) for c, w in zip(colours, [RED, BLUE, RED, GROUND, BLUE, PAPER], strict=True)] == [True] * 6
    assert ink(picture, (LEFT, TOP + HIGH + 4, LEFT + 60, TOP + HIGH + 30)) > 0.05


def test_a_name_in_chinese_is_drawn_with_its_own_characters(red: Path, tmp_path: Path) -> None:
    """A face without them would draw the same empty box twice."""
    box = (LEFT, TOP + HIGH + 4, LEFT + 44, TOP + HIGH + 30)
    one, other = (drawn([cell(red, name)], tmp_path / f"{name}.png").crop(box) for name in ("纸船", "灯塔"))
    assert one.tobytes() != other.tobytes()
    assert ink(one, (0, 0, *one.size)) > 0.1


def test_a_clip_s_cost_is_at_the_right_below_its_picture(red: Path, tmp_path: Path) -> None:
    box = (LEFT + WIDE - 60, TOP + HIGH + 26, LEFT + WIDE, TOP + HIGH + 54)
    priced, silent = (drawn([cell(red, cost=cost)], tmp_path / f"{cost}.png") for cost in ("0.50 USD", ""))
    assert ink(priced, box) > 0.02
    assert ink(silent, box) == 0


def test_a_long_name_stays_in_its_cell(red: Path, tmp_path: Path) -> None:
    many = [cell(red, "social[ratio=16:9,lang=zh,market=shanghai]", note="take 2 of 3"), cell(red, "x")]
    picture = drawn(many, tmp_path / "s.png")
    assert ink(picture, (LEFT + WIDE + 1, TOP + HIGH, LEFT + NEXT - 1, TOP + HIGH + 54)) == 0


def test_a_picture_of_another_shape_stands_whole_in_its_box(blue: Path, red: Path, tmp_path: Path) -> None:
    Image.new("RGB", (90, 160), RED).save(tmp_path / "tall.png")
    picture = drawn([cell(blue), cell(blue), cell(tmp_path / "tall.png")], tmp_path / "s.png")
    left, middle = LEFT, LEFT + WIDE // 2
    row = TOP + BELOW
    assert near(picture.getpixel((middle, row + 3)), RED)
    assert near(picture.getpixel((middle, row + HIGH - 3)), RED)
    assert near(picture.getpixel((left + 30, row + HIGH // 2)), GROUND)


def test_clips_that_are_all_upright_have_upright_boxes(tmp_path: Path) -> None:
    Image.new("RGB", (90, 160), RED).save(tmp_path / "tall.png")
    picture = drawn([cell(tmp_path / "tall.png")] * 2, tmp_path / "s.png")
    assert picture.height == 64 + 28 + 533 + 54 + 20
    assert near(picture.getpixel((LEFT + 5, TOP + 500)), RED)


@pytest.mark.parametrize(("count", "across"), [(1, 1), (2, 2), (4, 2), (5, 3), (9, 3), (10, 4), (24, 4), (25, 5)])
def test_a_short_sheet_is_wider_than_high(count: int, across: int) -> None:
    assert columns(count) == across


def test_many_clips_go_on_in_further_files(red: Path, tmp_path: Path) -> None:
    found = draw_sheet(Sheet("aurora", "", (cell(red),) * (2 * PAGE + 1)).dumps(), str(tmp_path / "s.png"))
    assert found == [str(tmp_path / name) for name in ("s.png", "s-2.png", "s-3.png")]
    with Image.open(found[0]) as first, Image.open(found[2]) as last:
        assert first.size < (2000, 3000)
        assert last.size == (28 * 2 + 300, 64 + 28 + BELOW)


def test_no_clips_are_an_empty_sheet(tmp_path: Path) -> None:
    assert drawn([], tmp_path / "s.png").height >= 64


def test_a_poster_that_cannot_be_read_gives_the_sign_for_a_picture(tmp_path: Path) -> None:
    (tmp_path / "p.jpg").write_bytes(b"nothing")
    picture = drawn([cell(tmp_path / "p.jpg"), cell(tmp_path / "gone.jpg")], tmp_path / "s.png")
    assert near(picture.getpixel((LEFT + 5, TOP + 5)), GROUND)
    assert near(picture.getpixel((LEFT + NEXT + 5, TOP + 5)), GROUND)


@pytest.mark.parametrize("name", ["s.png", "s.jpg"])
def test_the_same_sheet_gives_the_same_bytes_and_may_be_drawn_again(name: str, red: Path, tmp_path: Path) -> None:
    drawn([cell(red)], tmp_path / name)
    before = (tmp_path / name).read_bytes()
    drawn([cell(red)], tmp_path / name)
    assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize("where", ["s.png", "s-2.png"])
def test_a_file_of_the_users_is_not_overwritten(where: str, red: Path, tmp_path: Path) -> None:
    theirs = tmp_path / where
    Image.new("RGB", (8, 8)).save(theirs)
    before = theirs.read_bytes()
    text = Sheet("aurora", "", (cell(red),) * (PAGE + 1)).dumps()
    with pytest.raises(MediaError, match="is not a contact sheet"):
        draw_sheet(text, str(tmp_path / "s.png"))
    assert theirs.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [where]


def test_a_sheet_has_no_date_and_no_path_in_it(red: Path, tmp_path: Path) -> None:
    drawn([cell(red)], tmp_path / "s.png")
    with Image.open(tmp_path / "s.png") as picture:
        assert json.dumps(dict(picture.info)) == '{"Comment": "clipform contact sheet"}'
