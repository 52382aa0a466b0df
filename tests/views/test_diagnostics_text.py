"""A problem with its place: the caret stands under the value, whatever the line is written in."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from reconciler.diagnostics import Diagnostic, Excerpt, Severity, Source
from reconciler.views.terminal import diagnostics
from reconciler.views.terminal.style import Style
from tests.views.plans import HOSTILE

PLAIN = Style()


def text(*items: Diagnostic, style: Style = PLAIN) -> str:
    return "\n".join(diagnostics.render(items, style))


def at(line: str, value: str, end: bool = True) -> Diagnostic:
    """A diagnostic about a value in a line."""
    start = line.index(value) + 1
    source = Source("clips/hero.yaml", 14, start, start + len(value) if end else 0)
    return Diagnostic("code", "is wrong", source, excerpt=Excerpt(14, (line,)))


def marked(item: Diagnostic) -> tuple[str, str]:
    """The line shown and the line of carets below it."""
    shown, carets = text(item).splitlines()[-2:]
    return shown, carets


def test_a_diagnostic_reads_as_in_the_contract() -> None:
    item = Diagnostic(
        "duration",
        "duration 12 is not offered by seedance-v1-lite-i2v (5 or 10)",
        Source("clips/hero.yaml", 14, 15, 17),
        "set 10, or choose a model that offers it (clipform models --duration 12)",
        excerpt=Excerpt(13, ("    model: seedance-v1-lite-i2v", "    duration: 12")),
    )
    assert (
        text(item)
        == """\
clips/hero.yaml:14:15: error: duration 12 is not offered by seedance-v1-lite-i2v (5 or 10)
   13 |     model: seedance-v1-lite-i2v
   14 |     duration: 12
      |               ^^
  help: set 10, or choose a model that offers it (clipform models --duration 12)\
"""
    )


def test_a_warning_says_so_and_a_problem_without_a_place_stands_alone() -> None:
    item = Diagnostic("code", "is odd", severity=Severity.WARNING, help="do this\nand that")
    assert text(item) == "warning: is odd\n  help: do this\n    and that"


@pytest.mark.parametrize(
    ("line", "value", "carets"),
    [
        ("duration: 12", "12", "          ^^"),
        ("提示: 十二", "十二", "      ^^^^"),  # each takes two columns
        ("提示: 12", "12", "      ^^"),
        ("\tduration: 12", "12", "            ^^"),  # a tab is shown as \t
        ("a: \t12\t", "\t12\t", "   ^^^^^^"),
        ("é: x", "x", "   ^"),
        ("e\u0301: x", "x", "   ^"),  # a combining accent takes no column of its own
        ("🌕🌕: x", "x", "      ^"),
        ("a\u202eb: x", "x", "            ^"),  # shown as \u{202e}
    ],
)
def test_carets_stand_under_the_value(line: str, value: str, carets: str) -> None:
    assert marked(at(line, value))[1] == f"      | {carets}"


_WIDE_ENOUGH = st.characters(exclude_categories=["Cs", "Mn", "Me", "Mc"], exclude_characters="\n\r").filter(cell_len)
"""Characters with columns of their own; where the others end up is the terminal's affair."""


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(_WIDE_ENOUGH | st.sampled_from("\t\x1b\u200b\u202e"), max_size=300),
    st.text(_WIDE_ENOUGH.filter(str.isalpha), min_size=1, max_size=5),
    st.text(_WIDE_ENOUGH, max_size=20),
)
def test_the_value_stands_between_what_is_before_and_after_the_carets(before: str, value: str, after: str) -> None:
    line = before + value + after
    source = Source("a.yaml", 1, len(before) + 1, len(before) + len(value) + 1)
    shown, carets = marked(Diagnostic("code", "m", source, excerpt=Excerpt(1, (line,))))
    assert shown.isprintable() and carets.isprintable()
    left, width = cell_len(carets) - carets.count("^"), carets.count("^")
    assert width == max(1, cell_len(value))
    assert _columns(shown, left, width) == value


def _columns(text: str, start: int, width: int) -> str:
    """What stands in these columns."""
    found, column = "", 0
    for character in text:
        if start <= column and column + cell_len(character) <= start + max(width, 1):
            found += character
        column += cell_len(character)
    return found


def test_a_value_far_to_the_right_is_shown_with_its_neighbourhood() -> None:
    shown, carets = marked(at("x" * 1000 + " value", "value"))
    assert cell_len(shown) < 200 and "value" in shown and "…" in shown
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "value"


def test_a_value_that_runs_on_is_marked_as_far_as_it_is_shown() -> None:
    shown, carets = marked(at("a: " + "y" * 1000, "y" * 1000))
    assert cell_len(carets) == cell_len(shown) <= 170


def test_a_place_past_the_end_of_a_line_has_one_caret() -> None:
    item = Diagnostic("code", "m", Source("a.yaml", 3, 9), excerpt=Excerpt(3, ("clips:",)))
    assert marked(item)[1].count("^") == 1


def test_at_most_twenty_are_shown_and_the_rest_is_counted() -> None:
    found = text(*(Diagnostic("code", f"problem {i}") for i in range(25)))
    assert found.count("error:") == 20 and found.endswith("… and 5 more")


def test_nothing_foreign_reaches_the_terminal_as_it_is() -> None:
    source = Source(HOSTILE, 2, 3, 9)
    item = Diagnostic("code", HOSTILE, source, HOSTILE.replace("\n", " "), excerpt=Excerpt(1, (HOSTILE, HOSTILE)))
    assert all(line.isprintable() for line in text(item).split("\n"))


def test_colour_adds_nothing_but_colour() -> None:
    item = at("duration: 12", "12")
    coloured = text(item, style=Style(True))
    assert "\x1b[31m^^\x1b[0m" in coloured and "\x1b[31merror:\x1b[0m" in coloured
