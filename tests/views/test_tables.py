"""Tables that fit the terminal, wide characters counted as the two columns that they take."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from reconciler.diagnostics import Finding
from reconciler.views.base import HistoryRow, Section, StatusRow
from reconciler.views.terminal import tables
from reconciler.views.terminal.style import Style
from reconciler.views.terminal.tables import Column
from reconciler.views.terminal.wrap import cut
from tests.views.plans import HOSTILE

PLAIN = Style()
ROWS = (
    StatusRow("hero", 1, True, "ready", provider="studio", model="doubao-seedance-2-0", output="renders/hero.mp4",
              cost=Decimal("0.5"), currency="USD", age=7300.0),
    StatusRow("social[ratio=16:9,lang=zh]", 2, True, "running", progress=40, provider="studio",
              model="doubao-seedance-2-0", output="renders/社交/灯笼在大理石桌上-16x9.mp4"),
    StatusRow("hero", 3, False, "new", provider="draft", model="animatic"),
    StatusRow("intro", 1, True, "blocked", "uncertain at studio, no task id", provider="studio", model="m1",
              output="renders/intro.mp4"),
)  # fmt: skip


def status(rows: tuple[StatusRow, ...], width: int = 80) -> list[str]:
    return list(tables.status(rows, PLAIN, width))


def test_a_status_reads_like_this_in_eighty_columns() -> None:
    assert (
        "\n".join(status(ROWS))
        == """\
CLIP                          STATE        COST      AGE  OUTPUT
hero                          ready        0.50 USD  2 h  renders/hero.mp4
social[ratio=16:9,lang=zh]#2  running 40%  -         -    …在大理石桌上-16x9.mp4
hero#3                        new          -         -    (not picked)
intro                         blocked      -         -    renders/intro.mp4
    uncertain at studio, no task id\
"""
    )


def test_no_cell_is_cut_below_four_columns() -> None:
    cells = tables.grid((Column("CLIP"), Column("OUTPUT")), [("intermezzo", "renders/a.mp4")], 5)
    assert list(cells) == [["CLIP", "OUT…"], ["int…", "ren…"]]


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_line_of_the_table_is_wider_than_the_terminal(width: int) -> None:
    told = [line for line in status(ROWS, width) if not line.startswith("    ")]
    assert len(told) == 1 + len(ROWS) and max(map(cell_len, told)) <= width


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_end_of_a_matrix_name_is_never_cut_for_the_sake_of_another_column(width: int) -> None:
    assert any(line.startswith("social[ratio=16:9,lang=zh]") for line in status(ROWS, width))


def test_where_a_name_alone_is_too_long_its_middle_goes() -> None:
    (_, first, *_) = status(ROWS[1:2], 30)
    assert first.startswith("social[r") and "ng=zh]#2" in first and "…" in first and cell_len(first) <= 30


def test_columns_stand_one_above_the_other_whatever_the_script() -> None:
    rows = [["名字", "x"], ["name", "x"], ["🌕🌕🌕", "x"], ["é", "x"]]
    assert {cell_len(cells[0]) for cells in tables.grid((Column(""), Column("")), rows, 80)} == {6}


@pytest.mark.parametrize(("where", "shown"), [("end", "灯笼在大…"), ("start", "…石桌上灯"), ("middle", "灯笼…上灯")])
def test_what_is_cut_has_an_ellipsis_where_it_was_cut(where: str, shown: str) -> None:
    assert cut("灯笼在大理石桌上灯", 10, where) == shown


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.lists(st.text(st.characters(categories=["L", "N", "P", "So"]), max_size=50), min_size=3, max_size=3)),
    st.integers(30, 120),
    st.lists(st.sampled_from(["end", "start", "middle"]), min_size=3, max_size=3),
    st.lists(st.integers(0, 3), min_size=3, max_size=3),
)
def test_any_table_fits_and_is_aligned(rows: list[list[str]], width: int, where: list[str], goes: list[int]) -> None:
    columns = [Column("", w, least=6 * g, drop=g) for w, g in zip(where, goes, strict=True)]
    found = list(tables.grid(columns, rows, width))
    assert len(found) == len(rows) + 1
    assert all(cell_len("  ".join(cells)) <= width for cells in found)
    assert len({tuple(map(cell_len, cells)) for cells in found}) == 1


def test_no_clips_are_said_so() -> None:
    assert status(()) == ["No clips."]
    assert list(tables.history((), PLAIN)) == ["Nothing has happened yet."]


def test_nothing_foreign_reaches_the_terminal_as_it_is() -> None:
    bad = HOSTILE
    row = StatusRow(bad, 1, True, "failed", bad, provider=bad, model=bad, output=bad, cost=Decimal(1), currency=bad)
    lines = [
        *status((row,)),
        *tables.history((HistoryRow(1, "2026-01-01T00:00:00Z", bad, "moved", bad),), PLAIN),
        *tables.checks((Finding("clock", False, bad, bad),), PLAIN),
        *tables.sections((Section(bad, (("prompt", bad),)),), PLAIN),
    ]
    assert all(line.isprintable() for line in lines)


def test_sections_keep_the_lines_of_a_value_below_each_other() -> None:
    section = Section("hero", (("prompt", "two\nlines"), ("key", "v1:aa"), ("empty", "")))
    assert list(tables.sections((section, Section("more", ())), PLAIN)) == [
        "hero",
        "  prompt  two",
        "          lines",
        "  key     v1:aa",
        "  empty",
        "",
        "more",
    ]


def test_checks_help_only_where_something_is_wrong() -> None:
    found = tables.checks(
        (Finding("clock", True, "fine", "unused"), Finding("disk", False, "full", "make room")), PLAIN
    )
    assert list(found) == ["ok   clock  fine", "FAIL disk   full", "     help: make room"]


def test_each_command_of_a_help_stands_on_a_line_of_its_own() -> None:
    ways = "clipform resolve hero --task ID\nclipform resolve hero --resubmit"
    assert list(tables.checks((Finding("hero", False, "who knows", ways),), PLAIN)) == [
        "FAIL hero  who knows",
        "     help: clipform resolve hero --task ID",
        "           clipform resolve hero --resubmit",
    ]


def test_the_history_is_one_line_an_event() -> None:
    row = HistoryRow(12, "2026-01-01T00:00:00Z", "hero", "moved", "from=submitting to=accepted task=t1")
    assert list(tables.history((row,), PLAIN)) == [
        "   12 2026-01-01T00:00:00Z  moved        hero  from=submitting to=accepted task=t1"
    ]


def test_a_status_says_who_makes_a_clip_and_why_another_waits() -> None:
    rows = (
        StatusRow("hero", 1, True, "running", provider="studio", by="ana@mac", began=1_700_000_000.0),
        StatusRow("orbit", 1, True, "new", waits_for="2 of 2 slots of studio-main are taken (ana@mac 1, ben@pc 1)"),
    )
    assert status(rows)[2::2] == [
        "    ana@mac is making it since 22:13 UTC",
        "    queued: 2 of 2 slots of studio-main are taken (ana@mac 1, ben@pc 1)",
    ]
