"""The files of a project in memory: an implementation of the port `Files`."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.spec.files import Unreadable
from reconciler.spec.patterns import matches


class MemoryFiles:
    """Files in memory."""

    def __init__(self, files: Mapping[str, bytes | str]) -> None:
        self._files = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}

    def read(self, path: str) -> bytes:
        """Return the bytes of a path. Raises Unreadable if there are none."""
        if path not in self._files:
            raise Unreadable("does not exist")
        return self._files[path]

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the paths that match a pattern, sorted."""
        return tuple(sorted(path for path in self._files if matches(pattern, path)))
