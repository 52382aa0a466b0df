"""A long run ends with the bell, and with a notification in the form of the terminal where it says which one it is."""

from __future__ import annotations

import io

import pytest

from reconciler.events import EventKind, Outcome, Summary
from reconciler.views.terminal.notification import notification
from reconciler.views.terminal.view import HumanView


@pytest.mark.parametrize(
    ("environ", "sent"),
    [
        ({}, "\a"),
        ({"TERM": "xterm-256color"}, "\a"),
        ({"TERM": "footage"}, "\a"),
        ({"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"}, "\a\x1b]99;;done, 3 made\x1b\\"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "\a\x1b]9;done, 3 made\x1b\\"),
        ({"TERM_PROGRAM": "WezTerm"}, "\a\x1b]9;done, 3 made\x1b\\"),
        ({"TERM": "foot"}, "\a\x1b]777;notify;clipform;done, 3 made\x1b\\"),
        ({"TERM": "rxvt-unicode-256color"}, "\a\x1b]777;notify;clipform;done, 3 made\x1b\\"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, "\a\x1b]777;notify;clipform;done, 3 made\x1b\\"),
        (
            {"TERM": "screen", "TMUX": "/tmp/tmux-0/default,1,0", "KITTY_WINDOW_ID": "1"},
            "\a\x1bPtmux;\x1b\x1b]99;;done, 3 made\x1b\x1b\\\x1b\\",
        ),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0", "TERM_PROGRAM": "tmux"}, "\a"),
    ],
)
def test_each_terminal_is_notified_in_its_own_form(environ: dict[str, str], sent: str) -> None:
    assert notification("done; 3 made", environ) == sent


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


@pytest.mark.parametrize(
    ("elapsed", "volume", "is_terminal", "term", "rings"),
    [
        (31.0, 0, True, "xterm", True),
        (29.0, 0, True, "xterm", False),
        (31.0, -1, True, "xterm", False),
        (31.0, 0, False, "xterm", False),
        (31.0, 0, True, "dumb", False),
    ],
)
def test_only_a_long_run_at_a_terminal_rings(
    elapsed: float, volume: int, is_terminal: bool, term: str, rings: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TMUX", "KITTY_WINDOW_ID", "TERM_PROGRAM", "VTE_VERSION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", term)
    out, err = io.StringIO(), Terminal(is_terminal=is_terminal)
    view = HumanView(out, err, no_color=True, now=lambda: 0.0, volume=volume)
    view.summary(Summary((Outcome("hero", 1, "create", EventKind.SUCCEEDED),), elapsed=elapsed))
    assert ("\a" in err.getvalue()) is rings
    assert out.getvalue().startswith("Done: 1 made in ")
