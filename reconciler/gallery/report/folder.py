"""A folder that holds a report: written file by file, and nothing in it is touched that a report did not write.

`.clipform-report.json` lists what was written, with hashes. Names are claimed in it before they are written, so that a
run which dies leaves nothing that nobody owns. A folder that holds other things and no such list is refused; a file in
it that is not as listed is the user's: it is neither overwritten nor removed. The list may come from elsewhere (a
report that was mailed), so a name in it counts only if it has the form of those that are written here.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import Final

from reconciler.artifacts import files
from reconciler.diagnostics import ArtifactError, ClipformError
from reconciler.state import disk

LIST: Final = ".clipform-report.json"
_VERSION: Final = 1
_LIMIT: Final = 64 << 20
_NAME: Final = re.compile(
    r"index\.html|data\.js|assets/\w[\w.-]*|media/[0-9a-f]{64}(\.preview\.mp4|\.mp4|\.jpg)|media/input/[0-9a-f]{64}\.\w{1,5}",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Written:
    """A file as it was written. The time spares reading it again; where it differs, the content decides."""

    sha256: str
    size: int
    mtime_ns: int


class ReportFolder:
    """An open report. `claim` all names, `put` or `copy` each or find that it is `kept`, then `finish`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known = _read_list(root)
        self._now: dict[str, Written | None] = {}

    def claim(self, names: Iterable[str]) -> None:
        """Say which files this report may have. Raises ClipformError where one of them is not ours."""
        wanted = sorted(names)
        with disk.translated(f"write {self.root.name}", ClipformError):
            for folder in sorted({self.root, *((self.root / name).parent for name in wanted)}):
                self._require_folder(folder)
            for name in wanted:
                if not _NAME.fullmatch(name):
                    raise ClipformError(f"a report has no file {name}. This is a bug in clipform.", code="bug")
                if os.path.lexists(self.root / name) and not self._is_ours(name):
                    raise _foreign(f"{name} in {self.root.name} is not as a report left it")
            self._save({**self._known, **{name: None for name in wanted if name not in self._known}})

    def kept(self, name: str) -> bool:
        """Is the file there, whole, from an earlier run? Then it stays as it is."""
        known = self._known.get(name)
        if known is None or not self._is_ours(name) or not os.path.lexists(self.root / name):
            return False
        self._now[name] = known
        return True

    def put(self, name: str, data: bytes) -> None:
        """Write a file, unless it has this content already."""
        sha256 = hashlib.sha256(data).hexdigest()
        known = self._known.get(name)
        if known is not None and known.sha256 == sha256 and self.kept(name):
            return
        with disk.translated(f"write {name}", ClipformError):
            disk.replace(self.root / name, data)
            self._note(name, sha256)

    def copy(self, name: str, source: Path, sha256: str = "") -> bool:
        """Copy a file, by reference where the file system can. False, and nothing is there, when it cannot be read or
        is not what `sha256` says."""
        target = self.root / name
        part = target.with_name(f".{target.name}.{os.urandom(8).hex()}.part")
        try:
            with files.folder(source.parent) as within, files.opened(source.name, within) as original:
                found = self._copied(original, part)
            if sha256 and found != sha256:
                return False
            with disk.translated(f"write {name}", ClipformError):
                os.replace(part, target)
        except (OSError, ArtifactError):
            return False
        finally:
            with suppress(OSError):
                part.unlink()
        self._note(name, found)
        return True

    def _copied(self, original: int, part: Path) -> str:
        with disk.translated(f"write {part.name}", ClipformError):
            descriptor = os.open(part, disk.CREATE, 0o666)
            try:
                found = files.transfer(original, descriptor)
                disk.sync(descriptor)
            finally:
                os.close(descriptor)
        return found

    def finish(self) -> tuple[str, ...]:
        """Remove what earlier reports wrote and this one did not, and write the list. The names removed."""
        gone = []
        with disk.translated(f"write {self.root.name}", ClipformError):
            for name in sorted(self._known.keys() - self._now.keys()):
                if self._is_ours(name) and os.path.lexists(self.root / name):
                    (self.root / name).unlink()
                    gone.append(name)
            self._save(self._now)
            for folder in ("media/input", "media", "assets"):
                with suppress(OSError):  # it is not there, or not empty
                    (self.root / folder).rmdir()
        return tuple(gone)

    def size(self) -> int:
        """Bytes of all files of this report."""
        return sum(item.size for item in self._now.values() if item is not None)

    def _is_ours(self, name: str) -> bool:
        """A regular file that is as it was listed, or whose writing was begun and never noted."""
        if name not in self._known:
            return False
        known, path = self._known[name], self.root / name
        if any((self.root / folder).is_symlink() for folder in PurePath(name).parents[:-1]):
            return False
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        if known is None or (status.st_size, status.st_mtime_ns) == (known.size, known.mtime_ns):
            return path.is_file() and not path.is_symlink()
        with files.folder(path.parent) as within:
            return status.st_size == known.size and files.content_is(path.name, within, known.sha256)

    def _require_folder(self, folder: Path) -> None:
        """A directory and no link to one: a link could lead to the user's files."""
        if folder != self.root and (folder.is_symlink() or (folder.exists() and not folder.is_dir())):
            raise _foreign(f"{folder.relative_to(self.root)} in {self.root.name} is not a folder of a report")
        disk.make_directories(folder)

    def _note(self, name: str, sha256: str) -> None:
        status = (self.root / name).lstat()
        self._now[name] = Written(sha256, status.st_size, status.st_mtime_ns)

    def _save(self, found: Mapping[str, Written | None]) -> None:
        entries = {name: asdict(item) if item else None for name, item in sorted(found.items())}
        text = json.dumps({"clipform_report": _VERSION, "files": entries}, indent=1) + "\n"
        disk.replace(self.root / LIST, text.encode())


def _read_list(root: Path) -> dict[str, Written | None]:
    """What earlier reports wrote. Raises ClipformError for a folder that holds something else."""
    listing = root / LIST
    if not os.path.lexists(root):
        return {}
    if not root.is_dir():
        raise _foreign(f"{root.name} is not a folder")
    if not listing.is_file() or listing.is_symlink():
        if any(root.iterdir()):
            raise _foreign(f"{root.name} holds other files, and no report")
        return {}
    try:
        if listing.stat().st_size > _LIMIT:
            raise ValueError("it is too large")
        values = json.loads(listing.read_bytes())
        if values["clipform_report"] != _VERSION:
            raise ValueError("it is of another version")
        return {name: _written(item) for name, item in values["files"].items() if _NAME.fullmatch(name)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _foreign(f"the list in {root.name} cannot be read ({error})") from error


def _written(item: Mapping[str, object] | None) -> Written | None:
    if item is None:
        return None
    size, time = item["size"], item["mtime_ns"]
    if type(size) is not int or type(time) is not int:
        raise ValueError("a size is no number")
    return Written(str(item["sha256"]), size, time)


def _foreign(message: str) -> ClipformError:
    return ClipformError(message, help="choose a new folder: clipform report --out DIR", code="foreign")
