"""What changed in a prompt, word by word, in scripts with and without spaces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.views.terminal.word_diff import DiffRun, plain, words


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("a lamp on a table", "a lantern on a table", "a [-lamp-]{+lantern+} on a table"),
        ("a red old lamp glows", "a blue new torch glows", "a [-red old lamp-]{+blue new torch+} glows"),
        ("slow push-in", "slow pull-out", "slow [-push-in-]{+pull-out+}"),
        ("a lamp", "a red lamp", "a {+red +}lamp"),
        ("a red lamp", "a lamp", "a [-red -]lamp"),
        ("夜晚的街道，镜头推进", "夜晚的街道，镜头拉远", "夜晚的街道，镜头[-推进-]{+拉远+}"),
        ("一盏灯", "一盏红灯", "一盏{+红+}灯"),
        ("夜の東京", "昼の東京", "[-夜-]{+昼+}の東京"),
        ("a 灯 lamp", "a 灯笼 lamp", "a 灯{+笼+} lamp"),
        ("ends.", "ends!", "ends[-.-]{+!+}"),
        ("Lamp", "lamp", "[-Lamp-]{+lamp+}"),
        ("two  spaces", "two spaces", "two[-  -]{+ +}spaces"),
        ("", "all new", "{+all new+}"),
        ("all gone", "", "[-all gone-]"),
        ("same", "same", "same"),
        ("café", "cafe", "[-café-]{+cafe+}"),
        ("🌕 rises", "🌑 rises", "[-🌕-]{+🌑+} rises"),
    ],
)
def test_only_the_words_that_changed_are_marked(before: str, after: str, shown: str) -> None:
    assert plain(before, after) == shown


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_both_texts_can_be_read_off_the_difference(before: str, after: str) -> None:
    runs = words(before, after)
    assert "".join(run.text for run in runs if run.part is not DiffRun.NEW) == before
    assert "".join(run.text for run in runs if run.part is not DiffRun.GONE) == after


def test_a_word_that_occurs_often_in_a_long_text_is_compared_too() -> None:
    before = "the lamp glows " * 100
    assert plain(before, before + "the end") == before + "{+the end+}"
    assert plain("the " * 300, "a " + "the " * 300) == "{+a +}" + "the " * 300


def test_texts_too_long_to_compare_are_shown_whole() -> None:
    """Word by word the work would grow with the square."""
    before, after = "word " * 2000, "word " * 1999 + "end "
    assert [(run.part, run.text) for run in words(before, after)] == [(DiffRun.GONE, before), (DiffRun.NEW, after)]
