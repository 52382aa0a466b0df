"""Hashes the user's input files; an unchanged file is not read twice.

A file is opened once, without blocking (a FIFO must not hang us), must be a regular file in an allowed folder, and is
hashed through that one descriptor. The cache maps a path to (size, mtime, ctime, inode) and SHA-256.

Racy files (git's rule): a file changed less than two seconds before it was hashed may change again without its times
showing it, so it is not cached. The cache is a file of its own, not a table of the state: any command may write it
without the lock, losing it costs a few reads, and no command opens the database for writing because of it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from reconciler.artifacts import files
from reconciler.artifacts.allowed_paths import AllowedPaths
from reconciler.diagnostics import ArtifactError
from reconciler.frozen import dataclass
from reconciler.state import disk

LIMIT = 2 << 30
"""Largest input in bytes: no provider accepts more, and /dev/zero is not the only endless file."""

RACY_NS = 2_000_000_000

Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Hashed:
    """The content hash and size of an input."""

    sha256: str
    size: int


class Hasher:
    """Hashes the inputs in allowed folders, with a cache file. `clock` returns UTC seconds; call `save` at the end."""

    def __init__(self, allowed: AllowedPaths, clock: Callable[[], float], limit: int = LIMIT) -> None:
        self.allowed = allowed
        self._file = allowed.state / "hashes"
        self._clock = clock
        self._limit = limit
        self._cache: dict[str, tuple[Stamp, str]] | None = None
        self._changed = False
        self.seen: disk.Seen = {}

    def hash(self, path: str) -> Hashed:
        """Return the hash of a file by its path below the root. Raises ArtifactError, with a code, for others."""
        real, root = os.fspath(self.allowed.locate(path)), self.allowed.root
        with disk.translated(f"read {path}", ArtifactError):
            descriptor = _open(path, real)
            try:
                status = os.fstat(descriptor)
                self._require_regular(path, status)
                self.seen.setdefault(path, (real, disk.stamp_of(status)))
                name = real.removeprefix(os.path.join(root, ""))
                cached = self._entries().get(name)
                if cached and cached[0] == _stamp(status):
                    return Hashed(cached[1], status.st_size)
                return self._read(path, name, descriptor)
            finally:
                os.close(descriptor)

    def unchanged(self, path: str, sha256: str) -> bool:
        """Return True if a file has this content now."""
        try:
            return self.hash(path).sha256 == sha256
        except ArtifactError:
            return False

    def save(self) -> None:
        """Write the cache if it has changed. Failing is not an error: the next run reads the files again."""
        if not self._changed or self._cache is None or not self._file.parent.is_dir():
            return
        with suppress(OSError):
            files.write_cache(self._file, self._cache)
            self._changed = False

    def _require_regular(self, path: str, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise ArtifactError(f"{path} is not a regular file", code="not-a-file")
        if status.st_size > self._limit:
            raise ArtifactError(f"{path} is larger than {self._limit >> 20} MiB", code="too-large")

    def _read(self, path: str, name: str, descriptor: int) -> Hashed:
        now = int(self._clock() * 1e9)
        opened = os.fstat(descriptor)
        sha256, size = files.digest(descriptor)
        closed = os.fstat(descriptor)
        if _stamp(opened) != _stamp(closed) or size != closed.st_size:
            text = f"{path} changed while it was being read"
            raise ArtifactError(text, help="run the command again", code="changing")
        if max(closed.st_mtime_ns, closed.st_ctime_ns) < now - RACY_NS:
            self._entries()[name] = (_stamp(closed), sha256)
            self._changed = True
        return Hashed(sha256, size)

    def _entries(self) -> dict[str, tuple[Stamp, str]]:
        if self._cache is None:
            self._cache = files.read_cache(self._file, _entry)
        return self._cache


def _open(path: str, real: str) -> int:
    try:
        return os.open(real, disk.READ)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ArtifactError(f"{path} does not exist", code="missing") from error


def _stamp(status: os.stat_result) -> Stamp:
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def _entry(value: Any) -> tuple[Stamp, str]:
    stamp, sha256 = value
    return ((*stamp,), sha256)
