"""Looking at the disk: specs, inputs, outputs, the store. Reads only; what it finds are values for pure layers."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from reconciler.artifacts import files
from reconciler.artifacts.hashing import Hasher
from reconciler.artifacts.store import Objects
from reconciler.diagnostics import ArtifactError, ClipformError, Diagnostic
from reconciler.plan.model import Disk, LockedResult, OutputFact
from reconciler.records import Placed, Snapshot
from reconciler.spec.files import PROJECT_FILE, Unreadable, matches
from reconciler.spec.project import Clip
from reconciler.spec.values import LocalMedia
from reconciler.state import disk

SPEC_LIMIT = 32 << 20
"""Bytes of one spec file; the reader has tighter limits and better words for what is inside."""

_ABSENT = OutputFact()


class DiskFiles:
    """The specs of a project on disk. Regular files inside the root only: a FIFO would hang, a device never end."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))

    def read(self, path: str) -> bytes:
        """The whole file, through one descriptor."""
        real = Path(os.path.realpath(self.root / path))
        if not real.is_relative_to(self.root):
            raise Unreadable("is outside the project", "copy it into the project")
        try:
            descriptor = os.open(real, disk.READ)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Unreadable("does not exist") from error
        except OSError as error:
            raise Unreadable(f"cannot be read: {disk.words(error)}") from error
        try:
            return _content(descriptor)
        finally:
            os.close(descriptor)

    def glob(self, pattern: str) -> tuple[str, ...]:
        """The files that a pattern names, sorted."""
        found = glob.iglob(pattern, root_dir=self.root, recursive=True)
        paths = (path.replace(os.sep, "/") for path in found)
        return tuple(sorted({path for path in paths if matches(pattern, path) and (self.root / path).is_file()}))


def find_root(start: Path) -> Path:
    """The folder of the project that `start` is in. Raises ClipformError when there is none."""
    for folder in (start, *start.parents):
        if os.path.lexists(folder / PROJECT_FILE):  # what it is, a file or not, is for the reader to say
            return folder
    raise ClipformError(
        f"no {PROJECT_FILE} in {start} or above it", help="start one here:\nclipform init", code="no-project"
    )


def _content(descriptor: int) -> bytes:
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise Unreadable("is a directory")
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("is not a regular file")
    if status.st_size > SPEC_LIMIT:
        raise Unreadable(f"is larger than {SPEC_LIMIT >> 20} MiB")
    return b"".join(files.chunks(descriptor))


def hash_inputs(clips: Iterable[Clip], hasher: Hasher) -> tuple[dict[str, str], tuple[Diagnostic, ...]]:
    """SHA-256 of every local input by path, each file once; a diagnostic at each place that names an unusable one."""
    found: dict[str, str] = {}
    wrong: dict[str, ArtifactError] = {}
    problems: list[Diagnostic] = []
    for clip in clips:
        for name, item in clip.media():
            if not isinstance(item, LocalMedia):
                continue
            if item.path not in found and item.path not in wrong:
                try:
                    found[item.path] = hasher.hash(item.path).sha256
                except ArtifactError as error:
                    wrong[item.path] = error
            if item.path in wrong:
                why = wrong[item.path]
                help = why.help or "give a path relative to the project's root"
                problems.append(Diagnostic("input", f"{name}: {why.message}", clip.source(name), help))
    hasher.save()
    return found, tuple(problems)


def scan_disk(
    root: Path,
    objects: Objects,
    outputs: Iterable[str],
    snapshot: Snapshot,
    locked: Mapping[str, LockedResult],
    *,
    trust: bool,
) -> Disk:
    """What is at the outputs and in the store. `trust`: a stat that matches the record stands for its content."""
    paths = {*outputs, *snapshot.placed}
    facts = {path: _output(root, path, snapshot.placed.get(path) if trust else None) for path in sorted(paths)}
    facts |= {path: replace(facts[path], barred=by) for path, by in _barred(root, facts)}
    known = {a.sha256: a.suffix for a in snapshot.artifacts.values()}
    known |= {entry.sha256: ".mp4" for entry in locked.values() if entry.sha256 not in known}
    return Disk(facts, frozenset(sha for sha, suffix in known.items() if objects.has(sha, suffix)))


def _barred(root: Path, outputs: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The outputs whose folders cannot be gone through, with the first thing on the way that is none."""
    known: dict[str, str] = {"": ""}

    def by(folder: str) -> str:
        if folder not in known:
            found = by(folder.rpartition("/")[0])
            known[folder] = found or ("" if _is_way(root, folder) else folder)
        return known[folder]

    for output in outputs:
        if found := by(output.rpartition("/")[0]):
            yield output, found


def _is_way(root: Path, folder: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(os.path.join(root, folder)).st_mode)
    except OSError:
        return True  # it is not there yet, or its own trouble will be told


def _output(root: Path, path: str, placed: Placed | None) -> OutputFact:
    """One stat when nothing changed, a hash when it did. A link or a folder is somebody's, and has no content."""
    try:
        status = os.lstat(os.path.join(root, path))  # a Path would cost more than the stat
    except (FileNotFoundError, NotADirectoryError):
        return _ABSENT
    except OSError as error:
        raise ArtifactError(f"cannot look at {path}: {disk.words(error)}", code="io") from error
    stamp = (status.st_size, status.st_mtime_ns, status.st_ino)
    if placed is not None and stamp == (placed.size, placed.mtime_ns, placed.inode):
        return OutputFact(True, placed.sha256)
    if not stat.S_ISREG(status.st_mode):
        return OutputFact(True)
    full = root / path
    try:
        with files.folder(full.parent) as within, files.opened(full.name, within) as descriptor:
            return OutputFact(True, files.digest(descriptor)[0])
    except (OSError, ArtifactError):
        return OutputFact(True)
