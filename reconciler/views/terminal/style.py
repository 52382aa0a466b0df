"""Terminal colour in one place. All output makes sense without it, so the plain style is the identity."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Style:
    """Wraps text in SGR codes when `colour` is set."""

    colour: bool = False

    def _wrap(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text

    def bold(self, text: str) -> str:
        """Names and places."""
        return self._wrap("1", text)

    def dim(self, text: str) -> str:
        """What may be passed over."""
        return self._wrap("2", text)

    def red(self, text: str) -> str:
        """Errors, and what goes away."""
        return self._wrap("31", text)

    def green(self, text: str) -> str:
        """Done, and what is new."""
        return self._wrap("32", text)

    def yellow(self, text: str) -> str:
        """Warnings, and what is replaced."""
        return self._wrap("33", text)

    def cyan(self, text: str) -> str:
        """Help, and what is free."""
        return self._wrap("36", text)


def wants_colour(stream: TextIO, no_color: bool) -> bool:
    """Colour on a terminal, unless the option or the NO_COLOR convention says no."""
    return stream.isatty() and not no_color and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def moves(stream: TextIO) -> bool:
    """Whether lines can be drawn over: a terminal, and not the dumb one."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


UNBOUNDED = 1 << 20
"""The width of what is no terminal: nothing is cut or folded there."""


def room(stream: TextIO) -> int:
    """The columns of the terminal behind a stream, as they are now; `COLUMNS` overrules, as everywhere."""
    if not stream.isatty():
        return UNBOUNDED
    stated = os.environ.get("COLUMNS", "")
    try:
        columns = int(stated) if stated.isdecimal() else os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return columns or 80
