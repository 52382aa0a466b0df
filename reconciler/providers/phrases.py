"""Write values and hints for messages about a catalogue."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def choices(values: Sequence[object]) -> str:
    """Return the values as a list of choices: "5 or 10", "4 to 15", "480p, 720p or 1080p"."""
    numbers = [value for value in values if isinstance(value, int) and value >= 0]
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        span = f"{numbers[0]} to {numbers[-1]}"
        others = [value for value in values if value not in numbers]
        return f"{span}, or {choices(others)}" if others else span
    texts = list(dict.fromkeys(str(value) for value in values))
    return " or ".join(filter(None, (", ".join(texts[:-1]), texts[-1]))) if texts else "none"


def nearest(value: int, offered: Sequence[int]) -> int:
    """Return the offered number closest to a value; of two, the smaller."""
    return min(offered, key=lambda number: (abs(number - value), number))


def did_you_mean(wanted: str, names: Sequence[str]) -> str:
    """Return a hint to append, `; did you mean 'x'?`, or nothing if no name is similar."""
    near = difflib.get_close_matches(wanted, names, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def count(number: int, noun: str) -> str:
    """Return a number with its noun: 1 picture, 3 pictures."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
