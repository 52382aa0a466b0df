"""Thumbnails are drawn in a terminal that says it draws, and nothing is asked or drawn in any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.program.start import run
from tests.terminal.pane import Pane, environment, pane

SPEC = """\
version: 1
defaults: {duration: 1}
clips:
  sunrise: {prompt: mist over the mountains}
  city: {prompt: neon lights in the rain, takes: 2}
  later: {prompt: not made yet}
"""
SIXEL = b"\x1bP"
QUESTION = b"\x1b[c"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with three drafts."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "clipform.yaml").write_text(SPEC, encoding="utf-8")
    run(["apply", "--yes", "sunrise", "city"], cwd=folder, env=environment({}))
    return folder


def answer(screen: Pane, attributes: str) -> None:
    """Tell the program what the terminal can do, once it asks."""
    while QUESTION not in screen.raw:
        assert screen._hear(30.0), screen.text
    screen.press(f"\x1b[?{attributes}c")


@pytest.mark.parametrize(
    ("arguments", "names"),
    [(["status"], ["sunrise", "city#1"]), (["show", "city"], ["city#1", "city#2"]), (["show", "later"], [])],
)
def test_what_is_made_is_drawn_below_the_text(arguments: list[str], names: list[str], made: Path) -> None:
    pytest.importorskip("textual_image")
    with pane(made, *arguments, columns=100, rows=90, env={"XTERM_VERSION": "XTerm(400)"}) as screen:
        answer(screen, "62;4;22")
        assert screen.end() == 0
        drawn = screen.raw.partition(QUESTION)[2]
        assert (SIXEL in drawn) is bool(names)
        assert all(name.encode() in drawn for name in names)


def test_a_terminal_that_draws_nothing_shows_the_text_only(made: Path) -> None:
    pytest.importorskip("textual_image")
    with pane(made, "status", columns=100, env={"XTERM_VERSION": "XTerm(400)"}) as screen:
        answer(screen, "62;22")
        assert screen.end() == 0
        assert SIXEL not in screen.raw and "sunrise" in screen.text


@pytest.mark.parametrize("more", [[], ["-q"], ["--json"]])
def test_an_unknown_terminal_is_not_asked_and_quiet_ones_neither(more: list[str], made: Path) -> None:
    env = {"XTERM_VERSION": "XTerm(400)"} if more else {}
    with pane(made, "status", *more, columns=100, env=env) as screen:
        assert screen.end() == 0
        assert QUESTION not in screen.raw
