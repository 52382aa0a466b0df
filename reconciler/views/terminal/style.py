"""Terminal colours and width. All output makes sense without colour, so the plain style changes nothing."""

from __future__ import annotations

import os
from typing import TextIO

from reconciler.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """Wraps text in SGR codes when `colour` is set."""

    colour: bool = False

    def _wrap(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text

    def bold(self, text: str) -> str:
        """For names and places."""
        return self._wrap("1", text)

    def dim(self, text: str) -> str:
        """For secondary facts."""
        return self._wrap("2", text)

    def red(self, text: str) -> str:
        """For errors and removals."""
        return self._wrap("31", text)

    def green(self, text: str) -> str:
        """For success and additions."""
        return self._wrap("32", text)

    def yellow(self, text: str) -> str:
        """For warnings and replacements."""
        return self._wrap("33", text)

    def cyan(self, text: str) -> str:
        """For help and free actions."""
        return self._wrap("36", text)


def wants_colour(stream: TextIO, no_color: bool) -> bool:
    """True for a terminal, unless the option, NO_COLOR or TERM=dumb turns colour off."""
    return stream.isatty() and not no_color and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def can_redraw(stream: TextIO) -> bool:
    """True if lines can be drawn over: a terminal, but not a dumb one."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


UNBOUNDED = 1 << 20
"""The width of a file or pipe: nothing is cut or folded."""


def room(stream: TextIO) -> int:
    """Return the columns of the terminal behind a stream; the variable COLUMNS overrides them."""
    if not stream.isatty():
        return UNBOUNDED
    stated = os.environ.get("COLUMNS", "")
    try:
        columns = int(stated) if stated.isdecimal() else os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return columns or 80
