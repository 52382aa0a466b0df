"""Lines break where they may, end in an ellipsis, and no text makes the setting fail."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.media.draft.type import elided, face, printable, wrapped

FACE = face(16)
ZH = "黄昏的灯塔，老人把最后一封信折成纸船，放进海里；风浪渐起，纸船在月光下漂向远方。"


def test_latin_breaks_between_words() -> None:
    assert wrapped("the keeper folds a boat", FACE, 100, 9) == ["the keeper", "folds a boat"]


def test_chinese_breaks_between_ideographs_and_no_line_begins_with_a_comma() -> None:
    lines = wrapped(ZH, FACE, 130, 9)
    assert "".join(lines) == ZH
    assert not any(line.startswith(("，", "。", "；")) for line in lines)


def test_what_does_not_fit_ends_in_an_ellipsis_after_a_whole_word() -> None:
    assert wrapped("the keeper folds a small boat from the letter", FACE, 110, 2) == ["the keeper", "folds a small..."]
    assert wrapped(ZH, FACE, 130, 2)[-1].endswith("…")


def test_a_name_gives_way_in_the_middle() -> None:
    short = elided("storyboard-04-window[ratio=16:9]", FACE, 150)
    assert short.startswith("story") and short.endswith("16:9]") and "..." in short


def test_a_word_longer_than_the_line_is_cut() -> None:
    assert all(FACE.getlength(line) <= 60 for line in wrapped("x" * 500, FACE, 60, 3))


def test_emoji_controls_and_surrogates_are_left_out() -> None:
    assert printable("a\x00b\u202ec \ud800d🙂\n e\u200b") == "abc d e"


def test_the_face_has_what_captions_need() -> None:
    lacking = bytes(FACE.getmask("\uffff"))
    for char in "Az09—–·×:…“”，。中国镜头推进灯塔體":
        assert bytes(FACE.getmask(char)) != lacking, char


@given(st.text(max_size=300), st.integers(5, 400), st.integers(1, 4))
def test_any_text_fits(text: str, width: int, lines: int) -> None:
    widest = max(width, max((FACE.getlength(char + "...") for char in printable(text)), default=0))
    set_lines = wrapped(text, FACE, width, lines)
    assert len(set_lines) <= lines
    assert all(FACE.getlength(line) <= widest for line in set_lines)
