"""The folder of a report or of exports: writes it file by file, and touches only files that one of its kind wrote.

`.clipform-report.json` (`.clipform-export.json`) lists the written files with their hashes. A run claims names in the
list before it writes them, so a killed run leaves no file without an owner. A folder that contains other files and no
list is refused. A file that differs from the list is the user's: it is neither overwritten nor removed. The list may
come from elsewhere (a report that was mailed), so a name in it is ignored unless it has the form of a report's file
name.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import Final

from reconciler.artifacts import files
from reconciler.diagnostics import ArtifactError, ClipformError, UsageError
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.state import disk
from reconciler.state.paths import STATE

_VERSION: Final = 1
_LIMIT: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class FolderKind:
    """What a folder is for, the names that its files can have, and the words that choose another folder."""

    one: str
    names: re.Pattern[str]
    option: tuple[str, ...]

    @property
    def noun(self) -> str:
        """What it is for, without an article."""
        return self.one.split()[-1]

    @property
    def list(self) -> str:
        """The name of the list of what was written."""
        return f".clipform-{self.noun}.json"


REPORT: Final = FolderKind(
    "a report",
    re.compile(
        r"index\.html|data\.js|assets/\w[\w.-]*|media/[0-9a-f]{64}(\.preview\.mp4|\.mp4|\.jpg)|media/input/[0-9a-f]{64}\.\w{1,5}",
        re.ASCII,
    ),
    ("report", "--out", "DIR"),
)
LIST: Final = REPORT.list


@dataclass(frozen=True, slots=True)
class Written:
    """A file as it was written. An equal time saves reading the file; if it differs, the content decides."""

    sha256: str
    size: int
    mtime_ns: int


class ReportFolder:
    """A report being written. `claim` all names; `keep`, `put` or `copy` each of them; then `finish`."""

    def __init__(self, root: Path, kind: FolderKind = REPORT) -> None:
        self.root, self.kind = root, kind
        self._listed = _read_list(root, kind)
        self._written: dict[str, Written | None] = {}

    def claim(self, names: Iterable[str]) -> None:
        """Add the names of this report to the list. Raises ClipformError if one of the files is not a report's."""
        claimed = sorted(names)
        with disk.translated(f"write {self.root.name}", ClipformError):
            for folder in sorted({self.root, *((self.root / name).parent for name in claimed)}):
                self._require_folder(folder)
            for name in claimed:
                if not self.kind.names.fullmatch(name):
                    text = f"a folder of this kind has no file {name}. This is a bug in clipform."
                    raise ClipformError(text, code="bug")
                if os.path.lexists(self.root / name) and not self._is_ours(name):
                    raise self._foreign(f"{name} in {self.root.name} was changed since {self.kind.one} wrote it")
            self._save({**self._listed, **{name: None for name in claimed if name not in self._listed}})

    def keep(self, name: str) -> bool:
        """Keep the file if an earlier report wrote it and it is unchanged; False if it must be written."""
        listed = self._listed.get(name)
        if listed is None or not self._is_ours(name) or not os.path.lexists(self.root / name):
            return False
        self._written[name] = listed
        return True

    def put(self, name: str, data: bytes) -> None:
        """Write a file, unless it has this content."""
        sha256 = hashlib.sha256(data).hexdigest()
        listed = self._listed.get(name)
        if listed is not None and listed.sha256 == sha256 and self.keep(name):
            return
        with disk.translated(f"write {name}", ClipformError):
            disk.replace(self.root / name, data)
            self._record(name, sha256)

    def copy(self, name: str, source: Path, sha256: str = "") -> bool:
        """Copy a file, by reference where the file system can. False, without writing, if it cannot be read or does not
        match `sha256` (empty: any content)."""
        target = self.root / name
        part = target.with_name(f".{target.name}.{os.urandom(8).hex()}.part")
        try:
            with files.folder(source.parent) as directory, files.opened(source.name, directory) as original:
                copied = self._copy_bytes(original, part)
            if sha256 and copied != sha256:
                return False
            with disk.translated(f"write {name}", ClipformError):
                os.replace(part, target)
        except (OSError, ArtifactError):
            return False
        finally:
            with suppress(OSError):
                part.unlink()
        self._record(name, copied)
        return True

    def _copy_bytes(self, original: int, part: Path) -> str:
        with disk.translated(f"write {part.name}", ClipformError):
            descriptor = os.open(part, disk.CREATE, 0o666)
            try:
                sha256 = files.transfer(original, descriptor)
                disk.sync(descriptor)
            finally:
                os.close(descriptor)
        return sha256

    def finish(self) -> tuple[str, ...]:
        """Remove files that only earlier reports wrote, write the list, and return the removed names."""
        removed = []
        with disk.translated(f"write {self.root.name}", ClipformError):
            for name in sorted(self._listed.keys() - self._written.keys()):
                if self._is_ours(name) and os.path.lexists(self.root / name):
                    (self.root / name).unlink()
                    removed.append(name)
            self._save(self._written)
            for folder in ("media/input", "media", "assets"):
                with suppress(OSError):  # missing, or not empty
                    (self.root / folder).rmdir()
        return tuple(removed)

    def keep_all(self) -> None:
        """Keep the files that were written earlier, as far as they are unchanged."""
        for name in self._listed.keys() - self._written.keys():
            self.keep(name)

    def size(self) -> int:
        """Return the size of all files of this report, in bytes."""
        return sum(file.size for file in self._written.values() if file is not None)

    def _is_ours(self, name: str) -> bool:
        """True if a listed name is missing, or a regular file that is unchanged or was claimed but never recorded."""
        if name not in self._listed:
            return False
        listed, path = self._listed[name], self.root / name
        if any((self.root / folder).is_symlink() for folder in PurePath(name).parents[:-1]):
            return False
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        if listed is None or (status.st_size, status.st_mtime_ns) == (listed.size, listed.mtime_ns):
            return path.is_file() and not path.is_symlink()
        with files.folder(path.parent) as directory:
            return status.st_size == listed.size and files.content_is(path.name, directory, listed.sha256)

    def _require_folder(self, folder: Path) -> None:
        """Create a folder. Raises ClipformError for a symlink, which could lead to the user's files."""
        if folder != self.root and (folder.is_symlink() or (folder.exists() and not folder.is_dir())):
            raise self._foreign(f"{folder.relative_to(self.root)} in {self.root.name} is not {self.kind.one}'s folder")
        disk.make_directories(folder)

    def _record(self, name: str, sha256: str) -> None:
        status = (self.root / name).lstat()
        self._written[name] = Written(sha256, status.st_size, status.st_mtime_ns)

    def _save(self, files: Mapping[str, Written | None]) -> None:
        entries = {name: asdict(file) if file else None for name, file in sorted(files.items())}
        text = json.dumps({f"clipform_{self.kind.noun}": _VERSION, "files": entries}, indent=1) + "\n"
        disk.replace(self.root / self.kind.list, text.encode())

    def _foreign(self, message: str) -> ClipformError:
        return _foreign(message, self.kind)


def _read_list(root: Path, kind: FolderKind) -> dict[str, Written | None]:
    """Return the files that were written earlier. Raises ClipformError if the folder contains anything else."""
    listing = root / kind.list
    if not os.path.lexists(root):
        return {}
    if not root.is_dir():
        raise _foreign(f"{root.name} is not a folder", kind)
    if not listing.is_file() or listing.is_symlink():
        if any(root.iterdir()):
            raise _foreign(f"{root.name} contains other files and no {kind.noun}", kind)
        return {}
    try:
        if listing.stat().st_size > _LIMIT:
            raise ValueError("too large")
        values = json.loads(listing.read_bytes())
        if values[f"clipform_{kind.noun}"] != _VERSION:
            raise ValueError("unsupported version")
        return {name: _written(entry) for name, entry in values["files"].items() if kind.names.fullmatch(name)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _foreign(f"the list in {root.name} cannot be read ({error})", kind) from error


def _written(entry: Mapping[str, object] | None) -> Written | None:
    if entry is None:
        return None
    size, time = entry["size"], entry["mtime_ns"]
    if type(size) is not int or type(time) is not int:
        raise ValueError("a size is not a number")
    return Written(str(entry["sha256"]), size, time)


def _foreign(message: str, kind: FolderKind) -> ClipformError:
    return ClipformError(message, help=f"choose a new folder: {command(*kind.option)}", code="foreign")


def target(directory: Path, out: Path | None, root: Path, kind: FolderKind = REPORT) -> Path:
    """Return the folder of a report: `out`, else `report/` in the project. Raises UsageError for a folder that contains
    the project, or is inside its state."""
    real = Path(os.path.realpath(root / kind.noun if out is None else directory / out))
    if real == root or root.is_relative_to(real) or real.is_relative_to(root / STATE):
        *option, _ = kind.option
        raise UsageError(f"{kind.one} cannot be written to {out}", help=command(*option, kind.noun))
    return real
