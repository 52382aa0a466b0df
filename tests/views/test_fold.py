"""Long lines on a terminal: nothing is lost, nothing runs over the edge, commands stay whole."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from reconciler.views.terminal.style import Style
from reconciler.views.terminal.wrap import TextLine, fold, width

COLOUR = Style(True)


@pytest.mark.parametrize(
    ("line", "columns", "shown"),
    [
        ("    a lamp on a table", 80, ["    a lamp on a table"]),
        ("    a lamp on a table", 14, ["    a lamp on", "      a table"]),
        ("error: a lamp on a table", 18, ["error: a lamp on a", "    table"]),
        (TextLine("  key  one two", hang=7), 12, ["  key  one", "   two"]),  # too deep for so few columns
        (TextLine("  key  one two three", hang=7), 17, ["  key  one two", "       three"]),
        (TextLine("    clipform apply --force hero", wrap=False), 12, ["    clipform apply --force hero"]),
        (TextLine("    ark/m1 · a.mp4 · 0.50 USD", at=" · "), 17, ["    ark/m1", "      · a.mp4", "      · 0.50 USD"]),
        (TextLine("    \x1b[2ma b · c d\x1b[0m", at=" · "), 12, ["    \x1b[2ma b", "      · c d\x1b[0m"]),
        (TextLine("    next: clipform gc  # free", at="  # "), 24, ["    next: clipform gc", "      # free"]),
        ("a bcdefghijk", 12, ["a bcdefghijk"]),
        ("a lamp\non a table of wood", 12, ["a lamp", "on a table", "    of wood"]),
        ("an bcdefghijk", 12, ["an", "  bcdefghijk"]),
        ("an bcdefghijkl", 12, ["an bcdefghijkl"]),
        ("  the key 0123456789abcdef0123456789", 20, ["  the key 0123456789abcdef0123456789"]),
        ("  the key 0123456789abcdef", 18, ["  the key", "  0123456789abcdef"]),
        ("  灯笼在大理石桌上，慢慢推近。", 14, ["  灯笼在大理石", "    桌上，慢慢", "    推近。"]),
        ("  poster[city=上海] 灯笼在大理石桌上", 16, ["  poster[city=上海]", "    灯笼在大理石", "    桌上"]),
    ],
)  # fmt: skip
def test_a_line_is_folded_like_this(line: str, columns: int, shown: list[str]) -> None:
    assert list(fold(line, columns)) == shown


def test_colour_is_folded_as_if_it_were_not_there() -> None:
    coloured = f"{COLOUR.red('! blocked')} {COLOUR.bold('hero')}  {COLOUR.dim('it is never sent again by itself')}"
    plain = re.sub(r"\x1b\[\d+m", "", coloured)
    assert [re.sub(r"\x1b\[\d+m", "", part) for part in fold(coloured, 24)] == list(fold(plain, 24))
    assert "".join(re.findall(r"\x1b\[\d+m", "".join(fold(coloured, 24)))) == "".join(
        re.findall(r"\x1b\[\d+m", coloured)
    )


@settings(deadline=None, max_examples=100)
@given(
    st.text(st.characters(categories=["L", "N", "P", "Zs"], include_characters=" "), max_size=120), st.integers(20, 90)
)
def test_nothing_is_lost_and_only_what_cannot_be_torn_is_wider(text: str, columns: int) -> None:
    rows = list(fold(text, columns))
    assert "".join(rows).replace(" ", "") == text.replace(" ", "")
    for row in rows:
        if cell_len(row) > columns:
            assert max(map(cell_len, row.split(" "))) > columns // 2


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=40))
def test_a_width_is_what_a_terminal_makes_of_it(text: str) -> None:
    assert width(COLOUR.red(text)) == cell_len(text)
