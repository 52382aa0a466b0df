"""Hashing the user's input files: what is hashed is what is there, and an unchanged file is not read twice.

A file is opened once, without waiting (a FIFO must not hang us), must be a regular file within `reach`, and is hashed
through that one descriptor. The cache remembers (size, mtime, ctime, inode) → SHA-256 for each path.

Racy files (git's rule): a file changed less than two seconds before it was hashed may change again without its times
showing it, so it is not remembered. The cache is a file of its own, not a table of the state: any command may write it
without the lock, losing it costs a few reads, and nobody opens the books for writing on its account. Its first line is
the hash of the rest; a file that is damaged in any way is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.artifacts import files
from reconciler.artifacts.allowed_paths import Reach
from reconciler.diagnostics import ArtifactError
from reconciler.state import disk

LIMIT = 2 << 30
"""Largest input in bytes: no provider takes more, and /dev/zero is not the only endless file."""

RACY_NS = 2_000_000_000

Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Hashed:
    """An input's content."""

    sha256: str
    size: int


class Hasher:
    """Hashes the inputs that are within reach, with a cache file. `clock` gives UTC seconds; call `save` when done."""

    def __init__(self, reach: Reach, clock: Callable[[], float], limit: int = LIMIT) -> None:
        self.reach = reach
        self._file = reach.state / "hashes"
        self._clock = clock
        self._limit = limit
        self._cache: dict[str, tuple[Stamp, str]] | None = None
        self._changed = False

    def hash(self, path: str) -> Hashed:
        """Content of a file, by its path relative to the root. ArtifactError, with a code, when it is no input."""
        real = self.reach.locate(path)
        with disk.translated(f"read {path}", ArtifactError):
            descriptor = _open(path, real)
            try:
                status = os.fstat(descriptor)
                self._suitable(path, status)
                name = os.path.relpath(real, self.reach.root) if real.is_relative_to(self.reach.root) else str(real)
                known = self._entries().get(name)
                if known and known[0] == _stamp(status):
                    return Hashed(known[1], status.st_size)
                return self._read(path, name, descriptor)
            finally:
                os.close(descriptor)

    def unchanged(self, path: str, sha256: str) -> bool:
        """Whether a file has this content now."""
        try:
            return self.hash(path).sha256 == sha256
        except ArtifactError:
            return False

    def save(self) -> None:
        """Write the cache if it has changed. Failing is not an error: the next run reads the files again."""
        if not self._changed or self._cache is None or not self._file.parent.is_dir():
            return
        body = json.dumps(self._cache, sort_keys=True, separators=(",", ":")).encode()
        with suppress(OSError):
            disk.replace(self._file, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            self._changed = False

    def _suitable(self, path: str, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise ArtifactError(f"{path} is not a regular file", code="not-a-file")
        if status.st_size > self._limit:
            raise ArtifactError(f"{path} is larger than {self._limit >> 20} MiB", code="too-large")

    def _read(self, path: str, name: str, descriptor: int) -> Hashed:
        now = int(self._clock() * 1e9)
        before = os.fstat(descriptor)
        sha256, size = files.digest(descriptor)
        after = os.fstat(descriptor)
        if _stamp(before) != _stamp(after) or size != after.st_size:
            raise ArtifactError(f"{path} was changed while it was read", help="run the command again", code="changing")
        if max(after.st_mtime_ns, after.st_ctime_ns) < now - RACY_NS:
            self._entries()[name] = (_stamp(after), sha256)
            self._changed = True
        return Hashed(sha256, size)

    def _entries(self) -> dict[str, tuple[Stamp, str]]:
        if self._cache is None:
            self._cache = _load(self._file)
        return self._cache


def _open(path: str, real: Path) -> int:
    try:
        return os.open(real, disk.READ)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ArtifactError(f"{path} does not exist", code="missing") from error


def _stamp(status: os.stat_result) -> Stamp:
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def _load(file: Path) -> dict[str, tuple[Stamp, str]]:
    with suppress(OSError, ValueError, TypeError, AttributeError):
        check, _, body = file.read_bytes().partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() == check:
            return {path: ((*stamp,), sha256) for path, (stamp, sha256) in json.loads(body).items()}
    return {}
