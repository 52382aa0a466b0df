"""Ask a question on the terminal. Keys that were pressed before it was on the screen do not answer it."""

from __future__ import annotations

import sys
import termios
from collections.abc import Collection
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
        line = _line(text)
        answer = line.strip().lower()
        if line and answer in yes:
            return True
        if not line or answer in ("n", "no"):
            return False
    return False


def chosen(choices: Collection[str], default: str) -> str:
    """Ask for one of some words, once more after a wrong answer, and return the last answer; Enter is the default."""
    offered = " or ".join(choices)
    answer = _line(f"{offered} [{default}]: ").strip() or default
    return answer if answer in choices else _line(f"Please type {offered}: ").strip() or answer


def _line(question: str) -> str:
    """Return what is typed after a question, with its line end; empty at the end of the input."""
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline()


def _forget_keys() -> None:
    with suppress(termios.error, OSError, ValueError):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
