"""Find the file that was probably meant by a path that does not exist."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from reconciler.next_command import quote
from reconciler.spec.files import PROJECT_FILE
from reconciler.spec.problems import nearest
from reconciler.state.paths import DRAFTS, STATE

MAX_ENTRIES = 5000
_OTHER_FILES = ("clipform.yml", "Clipform.yaml", "clipform.yaml.txt")
_KINDS = (
    ".yaml .yml",
    ".png .jpg .jpeg .webp .bmp .gif .tif .tiff .heic .heif",
    ".mp4 .mov .webm .m4v",
    ".wav .mp3 .m4a",
)


def nearby_file(root: Path, path: str, spec: str = "") -> str | None:
    """Return a file of the project for a misspelt path: beside the spec that names it, alike, or elsewhere."""
    beside = os.path.normpath(os.path.join(os.path.dirname(spec), path))
    candidates = (beside, _alike(root, path), _elsewhere(root, os.path.basename(path)))
    likely = (other for other in candidates if other and not other.startswith("..") and other != PROJECT_FILE)
    usable = (other for other in likely if _is_of_kind(other, path) and (root / other).is_file())
    return next(usable, None)


def _is_of_kind(other: str, path: str) -> bool:
    """True if a file may be meant by a path, by their suffixes; one without a suffix is of any kind but a spec's."""
    wanted, suffix = (os.path.splitext(name)[1].casefold() for name in (path, other))
    kind = next((kind.split() for kind in _KINDS if wanted in kind.split()), [wanted])
    return suffix in kind or (not wanted and any(suffix in media.split() for media in _KINDS[1:]))


def other_project_file(folder: Path) -> str:
    """Return the help for a folder whose project file has another name, or an empty text."""
    name = next((name for name in _OTHER_FILES if (folder / name).is_file()), None)
    if name is None:
        return ""
    old, new = (os.path.normpath(os.path.join(os.path.relpath(folder), each)) for each in (name, PROJECT_FILE))
    return f"rename it:\nmv {quote(old)} {quote(new)}"


def _alike(root: Path, path: str) -> str | None:
    """Return the path with each part that does not exist replaced by the nearest name in its folder."""
    parts: list[str] = []
    for part in os.path.normpath(path).split("/"):
        folder = root.joinpath(*parts)
        other = part if (folder / part).exists() else nearest(part, _names(folder))
        if other is None or part in ("", ".."):
            return None
        parts.append(other)
    return "/".join(parts)


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in islice(entries, MAX_ENTRIES) if not entry.name.startswith("."))
    except OSError:
        return []


def _elsewhere(root: Path, name: str) -> str | None:
    """Return the only file with this name in the project, the case ignored."""
    same = [path for path in islice(_files(root), MAX_ENTRIES) if os.path.basename(path).casefold() == name.casefold()]
    return same[0] if len(same) == 1 else None


def _files(root: Path) -> Iterator[str]:
    for base, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in (STATE, DRAFTS)]
        yield from (os.path.relpath(os.path.join(base, name), root) for name in names)
