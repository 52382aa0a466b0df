"""The paths outside the project to watch for each input, and the paths inside it to ignore.

The root is watched recursively. A folder outside it may be a home directory or a whole disk, so only the folders on the
path to an input are watched there, each without its subfolders. In them only the names on the path count: the file, a
symlink that leads to it, a folder that may be renamed, or the first name that does not exist yet.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from reconciler.state.paths import DRAFTS, LOCK_FILE, STATE

Names = Mapping[Path, frozenset[str]]
"""The names to watch in each folder."""

_MAX_LINKS = 40
_OWN_FOLDERS = frozenset({STATE, DRAFTS, ".git"})
_PART = re.compile(r"\..*\.part")


def names_to_watch(root: Path, paths: Iterable[str]) -> Names:
    """Return the names outside `root` (a real path) that each path goes through. Folders above both the root and a path
    are left out: they cannot change without moving the project."""
    by_folder: dict[Path, set[str]] = {}
    for path in paths:
        for folder, name in _names_on(root, path):
            by_folder.setdefault(folder, set()).add(name)
    return {folder: frozenset(names) for folder, names in by_folder.items()}


def concerns(names: Names, path: str) -> bool:
    """True if a change at a path concerns a watched name or a watched folder."""
    changed = Path(path)
    return changed.name in names.get(changed.parent, ()) or changed in names


def _names_on(root: Path, path: str) -> Iterator[tuple[Path, str]]:
    """Yield each folder and name outside the root on a path, symlinks followed."""
    folder, parts, links = root, deque(Path(path).parts), 0
    while parts:
        part = parts.popleft()
        if part == os.sep:
            folder = Path(os.sep)
            continue
        if part == os.pardir:
            folder = folder.parent
            continue
        if not root.is_relative_to(folder / part) and not folder.is_relative_to(root):
            yield folder, part
        try:
            status = os.lstat(folder / part)
        except (OSError, ValueError):  # its creation is noticed; its content is watched from then on
            return
        if stat.S_ISLNK(status.st_mode) and links < _MAX_LINKS:
            links += 1
            parts.extendleft(reversed(Path(os.readlink(folder / part)).parts))
        else:
            folder = folder / part


def is_own(path: str, outputs: Collection[str]) -> bool:
    """True if clipform or git writes the path, so a change there is not an edit.

    `path` is relative to the root, with `/`. `outputs` are the outputs of all plans of the session.
    """
    internal = path.partition("/")[0] in _OWN_FOLDERS or path == LOCK_FILE or is_part(path)
    return internal or unicodedata.normalize("NFC", path) in outputs


def is_part(path: str) -> bool:
    """True if a path is a temporary file of clipform, which is renamed when it is complete."""
    return _PART.fullmatch(path.rpartition("/")[2]) is not None
