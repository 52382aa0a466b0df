"""The patterns of specs' paths."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase


def matches(pattern: str, path: str) -> bool:
    """True if a pattern matches a path. `*` stays within a folder, `**` is any depth; neither matches hidden names."""
    parts = path.split("/")
    reached = {0}  # row by row, as for an edit distance: a pattern of many `**` must not take exponential time
    for step in pattern.split("/"):
        if step == "**":
            reached = {end for start in reached for end in _depths(parts, start)}
        else:
            reached = {at + 1 for at in reached if at < len(parts) and _part_matches(step, parts[at])}
    return len(parts) in reached


def _depths(parts: Sequence[str], start: int) -> range:
    end = start
    while end < len(parts) and not parts[end].startswith("."):
        end += 1
    return range(start, end + 1)


def _part_matches(pattern: str, part: str) -> bool:
    return fnmatchcase(part, pattern) and (not part.startswith(".") or pattern.startswith("."))
