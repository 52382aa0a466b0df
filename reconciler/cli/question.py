"""Ask a question on the terminal. Keys that were pressed before it was on the screen do not answer it."""

from __future__ import annotations

import sys
import termios
from contextlib import suppress


def agrees(question: str, *, free: bool) -> bool:
    """Ask, once more after a wrong answer, and return True for a yes.

    `y` or Enter will do for what is `free`; anything else needs the whole word. The end of the input is a no.
    """
    yes = ("yes", "y", "") if free else ("yes",)
    first = f"{question} [Y/n] " if free else f"{question} Type 'yes' to continue: "
    again = "Please type y or n: " if free else "Please type the whole word 'yes', or 'no': "
    _forget_keys()
    for text in (first, again):
        sys.stderr.write(text)
        sys.stderr.flush()
        line = sys.stdin.readline()
        answer = line.strip().lower()
        if line and answer in yes:
            return True
        if not line or answer in ("n", "no"):
            return False
    return False


def _forget_keys() -> None:
    with suppress(termios.error, OSError, ValueError):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
