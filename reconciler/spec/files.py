"""The port through which specs are read."""

from __future__ import annotations

from typing import Protocol

from reconciler.frozen import dataclass

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
        """Return the files that match a pattern (see `patterns.matches`), sorted."""


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
