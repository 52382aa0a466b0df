"""What decides, outside the project, which file an input is: the names on the way to it, links followed.

The root is watched with all that is below it. A folder beside it may be a home or a disk, so nothing there is watched
but the folders on the way, each by itself, and of what happens in them only what concerns a name on the way counts: the
file, a link that leads to it, a folder that is renamed, or the first thing that is not there yet.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

Names = Mapping[Path, frozenset[str]]
"""By folder, the names in it that count."""

_MOST_LINKS = 40


def ways(root: Path, paths: Iterable[str]) -> Names:
    """The names on the ways to these paths that are outside `root`, itself without links. Nothing above what the root
    and a path have in common counts: it cannot change without the project itself."""
    found: dict[Path, set[str]] = {}
    for path in paths:
        for folder, name in _way(root, path):
            found.setdefault(folder, set()).add(name)
    return {folder: frozenset(names) for folder, names in found.items()}


def counts(names: Names, path: str) -> bool:
    """Whether something that happened at a path does: to a name that counts, or to a folder on the way itself."""
    at = Path(path)
    return at.name in names.get(at.parent, ()) or at in names


def _way(root: Path, path: str) -> Iterator[tuple[Path, str]]:
    here, ahead, links = root, deque(Path(path).parts), 0
    while ahead:
        part = ahead.popleft()
        if part == os.sep:
            here = Path(os.sep)
            continue
        if part == os.pardir:
            here = here.parent
            continue
        if not root.is_relative_to(here / part) and not here.is_relative_to(root):
            yield here, part
        try:
            status = os.lstat(here / part)
        except (OSError, ValueError):  # what comes here is seen; what would come below it, when it is there
            return
        if stat.S_ISLNK(status.st_mode) and links < _MOST_LINKS:
            links += 1
            ahead.extendleft(reversed(Path(os.readlink(here / part)).parts))
        else:
            here = here / part
