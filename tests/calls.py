"""Counts the calls of functions that some work takes: unlike seconds, the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Callable


def calls(work: Callable[[], object]) -> int:
    """How many functions some work calls, those of C included."""
    count = 0

    def seen(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def is_linear(cost: Callable[[int], int], first: int) -> bool:
    """True if the third part costs what the second does."""
    cost(1)  # what is imported and compiled once
    one, two, three = (cost(number * first) for number in (1, 2, 3))
    return three - two <= 1.05 * (two - one)
