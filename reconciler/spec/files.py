"""The port through which specs are read, and the patterns of their paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

PROJECT_FILE = "clipform.yaml"
"""A folder with this file is a project."""


class Unreadable(Exception):
    """A file cannot be read. `message` follows its name ("does not exist"); `help` says how to fix it."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class Files(Protocol):
    """The files of a project, by path relative to its root, `/` separated."""

    def read(self, path: str) -> bytes:
        """Return the whole file. Raises Unreadable if it is missing, too large, not regular or outside the project."""

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the files that match a pattern (see `matches`), sorted."""


@dataclass(frozen=True, slots=True)
class EditedFiles:
    """The files of a project with another content of one of them, before it is written."""

    files: Files
    path: str
    text: str

    def read(self, path: str) -> bytes:
        """Return the whole file, see `Files`."""
        return self.text.encode("utf-8") if path == self.path else self.files.read(path)

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the files that match a pattern, see `Files`."""
        return self.files.glob(pattern)


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
