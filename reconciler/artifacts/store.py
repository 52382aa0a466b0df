"""The content-addressed store: `DIR/objects/ab/ab12….mp4`, named by SHA-256, written once, read-only afterwards.

A file enters through a part file in `objects/tmp` (on the same file system, so that the rename is atomic): write, sync,
rename, sync the folder. Only then may anything refer to it. The holder of the state lock sweeps the part files of a
dead process from `tmp`; they are recognised by their name, never by their age.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from reconciler.artifacts import files
from reconciler.diagnostics import ArtifactError
from reconciler.frozen import dataclass
from reconciler.state import disk

SUFFIXES = (".mp4", ".png", ".srt", ".vtt", ".ass", ".ssa")
"""Videos, frames, and the subtitles that are placed beside a film."""

WORTH_LISTING = 10
"""So many looks cost more than the list of a folder."""

_PART = re.compile(r"[\w.-]{1,80}\.[0-9a-f]{16}\.part")
_OBJECT = re.compile(r"([0-9a-f]{64})(\.[a-z0-9]{1,8})")


class Health(StrEnum):
    """The result of verifying an object."""

    SOUND = "sound"
    MISSING = "missing"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of the store."""

    sha256: str
    suffix: str
    size: int


class ByteSink(Protocol):
    """Receives the bytes of a download; `Part` is one."""

    def expect(self, size: int, /) -> None:
        """Announce `size` bytes. Raises ArtifactError if the disk is too full, before any is written."""

    def write(self, data: bytes, /) -> object:
        """Append bytes."""


class Part:
    """A file that is entering the store. Fill it with `write`, or let a program write to `path`; then `commit` it."""

    def __init__(self, objects: Objects, folders: tuple[int, int], name: str, descriptor: int) -> None:
        self._objects = objects
        self._root, self._tmp = folders
        self._name = name
        self._descriptor = descriptor
        self._hasher = hashlib.sha256()
        self._size = 0

    @property
    def path(self) -> Path:
        """The path for another program to write to; it must not replace the file."""
        return self._objects.root / "tmp" / self._name

    @property
    def size(self) -> int:
        """Bytes written so far through `write`."""
        return self._size

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes written so far through `write`."""
        return self._hasher.hexdigest()

    def expect(self, size: int) -> None:
        """Raise ArtifactError if the disk has no space for a file of that size and its copy at an output."""
        self._objects.require_space(size)

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes and hash them."""
        with disk.translated("write an artifact", ArtifactError):
            disk.write_all(self._descriptor, data)
        self._hasher.update(data)
        self._size += len(data)

    def sync(self) -> None:
        """Make what another program wrote durable, for a file that is renamed instead of committed."""
        with disk.translated("write a part", ArtifactError):
            disk.sync(self._descriptor)

    def commit(self, suffix: str) -> Stored:
        """Make the content durable in the store and return its name. An error leaves the store unchanged."""
        with disk.translated("store an artifact", ArtifactError):
            return self._commit(suffix)

    def _commit(self, suffix: str) -> Stored:
        if suffix not in SUFFIXES:
            raise ArtifactError(f"the store holds {', '.join(SUFFIXES)}, not '{suffix}'", code="suffix")
        self._require_same_file()
        sha256, size = self._content()
        if size == 0:
            raise ArtifactError("an artifact cannot be empty", code="empty")
        os.fchmod(self._descriptor, 0o444)
        disk.sync(self._descriptor)
        files.ensure_folder(sha256[:2], self._root)
        with files.folder(sha256[:2], self._root) as target:
            self._rename(sha256, suffix, target)
        self._objects.entered.add(sha256)
        return Stored(sha256, suffix, size)

    def _rename(self, sha256: str, suffix: str, target: int) -> None:
        """Rename the part to its object's name, unless the same content is there; this replaces a damaged object."""
        name = f"{sha256}{suffix}"
        if files.content_is(name, target, sha256):
            files.discard(self._name, self._tmp)
        else:
            os.rename(self._name, name, src_dir_fd=self._tmp, dst_dir_fd=target)
        disk.sync(target)

    def _require_same_file(self) -> None:
        current, ours = files.look(self._name, self._tmp), os.fstat(self._descriptor)
        if current is None or (current.st_dev, current.st_ino) != (ours.st_dev, ours.st_ino):
            raise ArtifactError("the part file was replaced while it was written", code="part-replaced")

    def _content(self) -> tuple[str, int]:
        """Return hash and size of the file; reads it again only if another program wrote it."""
        if self._size and self._size == os.fstat(self._descriptor).st_size:
            return self._hasher.hexdigest(), self._size
        if self._size:
            raise ArtifactError("the part file's size differs from the bytes written", code="part-size")
        return files.digest(self._descriptor)


class Objects:
    """The store under `DIR/objects`. To add, sweep or delete the caller must hold the state lock."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "objects"
        self.entered: set[str] = set()
        """What this process has hashed and stored, by SHA-256: it need not be read again to be believed."""

    def path(self, sha256: str, suffix: str) -> Path:
        """Return the path of an object, whether it exists or not."""
        return Path(self._path(sha256, suffix))

    def _path(self, sha256: str, suffix: str) -> str:
        name = f"{sha256}{suffix}"
        if not _OBJECT.fullmatch(name):
            raise ArtifactError(f"'{name}' is not the name of an object", code="object-name")
        return os.path.join(self.root, sha256[:2], name)

    def has(self, sha256: str, suffix: str, size: int | None = None) -> bool:
        """Return True if an object exists and has that size: one stat. `verify` checks its content."""
        try:
            status = os.lstat(self._path(sha256, suffix))  # a Path would cost more than the stat
        except (FileNotFoundError, NotADirectoryError):
            return False
        return size is None or status.st_size == size

    def having(self, objects: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Return those of these objects (SHA-256 and suffix) that exist; a folder with many of them is listed."""
        objects = tuple(objects)
        counts = Counter([sha256[:2] for sha256, _ in objects])
        listings = (self._listed(folder) for folder, count in counts.items() if count >= WORTH_LISTING)
        names = frozenset[str]().union(*listings)
        return (one for one in objects if one[0] + one[1] in names or self.has(*one))

    def _listed(self, folder: str) -> list[str]:
        """Return the names that belong in a folder of objects; none if it cannot be listed, where `has` says more."""
        try:
            return [name for name in os.listdir(os.path.join(self.root, folder)) if name[:2] == folder]
        except OSError:
            return []

    @contextmanager
    def part(self, name: str) -> Iterator[Part]:
        """Open a new part file, removed after the block unless committed. `name` is for people only."""
        label = re.sub(r"[^\w-]+", "-", name, flags=re.ASCII)[:60]
        unique = f"{label or 'part'}.{os.urandom(8).hex()}.part"
        with ExitStack() as stack:
            with disk.translated("write to the artifact store", ArtifactError):
                disk.make_directories(self.root / "tmp")
                root = stack.enter_context(files.folder(self.root))
                tmp = stack.enter_context(files.folder("tmp", root))
                descriptor = os.open(unique, disk.CREATE, 0o600, dir_fd=tmp)
                stack.callback(files.discard, unique, tmp)
                stack.callback(os.close, descriptor)
            yield Part(self, (root, tmp), unique, descriptor)

    def quarantine(self, part: Part, name: str) -> Path:
        """Keep the bytes of a part that is not a valid artifact, outside the store: they are paid for."""
        folder = self.root.parent / "quarantine"
        with disk.translated("keep a damaged result", ArtifactError):
            disk.make_directories(folder)
            target, number = folder / f"{name}.bin", 1
            while target.exists():
                target, number = folder / f"{name}-{number}.bin", number + 1
            os.link(part.path, target)
            disk.sync_directory(folder)
        return target

    def add(self, path: Path, suffix: str) -> Stored:
        """Copy a file into the store, through one descriptor."""
        with disk.translated(f"read {path.name}", ArtifactError):
            parent = files.folder(path.parent)
            with parent as within, files.opened(path.name, within) as source, self.part(path.stem) as part:
                for chunk in files.chunks(source):
                    part.write(chunk)
                return part.commit(suffix)

    def verify(self, sha256: str, suffix: str) -> Health:
        """Read an object again and compare its hash with its name."""
        path = self.path(sha256, suffix)
        if not self.has(sha256, suffix):
            return Health.MISSING
        with disk.translated("read an artifact", ArtifactError), files.folder(path.parent) as within:
            return Health.SOUND if files.content_is(path.name, within, sha256) else Health.DAMAGED

    def delete(self, sha256: str, suffix: str) -> bool:
        """Remove an object; return False if it was missing. Delete the rows that name it first."""
        path = self.path(sha256, suffix)
        with disk.translated("delete an artifact", ArtifactError):
            try:
                path.unlink()
            except FileNotFoundError:
                return False
            disk.sync_directory(path.parent)
        return True

    def __iter__(self) -> Iterator[Stored]:
        """Yield every object, by name."""
        for path in sorted(self.root.glob("[0-9a-f][0-9a-f]/*")):
            match = _OBJECT.fullmatch(path.name)
            if match and path.parent.name == path.name[:2]:
                yield Stored(match[1], match[2], path.lstat().st_size)

    def sweep(self) -> int:
        """Remove part files of a dead process, under the lock; return how many."""
        tmp = self.root / "tmp"
        if not tmp.is_dir():
            return 0
        with disk.translated("clean the artifact store", ArtifactError), files.folder(tmp) as within:
            return files.sweep(within, _PART)

    def require_writable(self) -> None:
        """Raise ArtifactError unless artifacts can be added; called before anything is paid for."""
        with disk.translated("write to the artifact store", ArtifactError):
            disk.make_directories(self.root / "tmp")
            for folder in (self.root, self.root / "tmp"):
                with files.folder(folder) as within:
                    files.require_writable(within, folder.name)

    def require_space(self, size: int) -> None:
        """Raise ArtifactError unless twice `size` is free (the object, and its copy at the output), and 64 MiB more."""
        with disk.translated("look at the disk", ArtifactError):
            free = shutil.disk_usage(_existing(self.root)).free
        needed = 2 * size + (64 << 20)
        if free < needed:
            text = f"{free >> 20} MiB are free on the disk; storing a clip needs {needed >> 20}"
            raise ArtifactError(text, help="free some space, then run the same command again", code="disk-full")


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
