"""File operations of the store, the placer and the caches: open without following links, copy, hash, publish."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from reconciler.diagnostics import ArtifactError
from reconciler.state import disk

T = TypeVar("T")

CHUNK = 1 << 20
_FICLONE = 0x40049409  # Linux: share the blocks of another file, copy on write (Btrfs, XFS, bcachefs, ZFS)


def digest(descriptor: int) -> tuple[str, int]:
    """Return the SHA-256 and the size of an open file, from its start."""
    hasher, size = hashlib.sha256(), 0
    for chunk in chunks(descriptor):
        hasher.update(chunk)
        size += len(chunk)
    return hasher.hexdigest(), size


def chunks(descriptor: int, at_once: int = CHUNK) -> Iterator[bytes]:
    """Yield the bytes of an open file from its start; the descriptor's position is neither used nor moved."""
    offset = 0
    while chunk := os.pread(descriptor, at_once, offset):
        yield chunk
        offset += len(chunk)


def transfer(source: int, target: int) -> str:
    """Fill an empty file with another's content, by reference if the file system can; return the SHA-256."""
    if _cloned(source, target):
        return digest(target)[0]
    hasher = hashlib.sha256()
    for chunk in chunks(source):
        hasher.update(chunk)
        disk.write_all(target, chunk)
    return hasher.hexdigest()


def _cloned(source: int, target: int) -> bool:
    if sys.platform != "linux":  # the request number differs elsewhere
        return False
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:  # not supported here: copy
        return False
    return True


@contextmanager
def folder(name: str | os.PathLike[str], within: int | None = None) -> Iterator[int]:
    """Open a directory; with `within`, relative to another one, and a symbolic link is refused."""
    nofollow = 0 if within is None else os.O_NOFOLLOW
    descriptor = os.open(name, disk.DIRECTORY | nofollow, dir_fd=within)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def opened(name: str, within: int) -> Iterator[int]:
    """Open a regular file in a directory for reading; anything else is an ArtifactError."""
    descriptor = os.open(name, disk.READ, dir_fd=within)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ArtifactError(f"'{name}' is not a regular file", code="not-a-file")
        yield descriptor
    finally:
        os.close(descriptor)


def require_writable(within: int, name: str) -> None:
    """Raise OSError unless entries can be created in a directory. The system decides, because even root cannot write to
    a read-only file system. `name` is for the message."""
    if not os.access(".", os.W_OK, dir_fd=within):
        read_only = os.fstatvfs(within).f_flag & os.ST_RDONLY
        raise OSError(errno.EROFS if read_only else errno.EACCES, "not writable", name)


def look(name: str, within: int) -> os.stat_result | None:
    """Return the status of an entry of a directory, without following a link; None if there is none."""
    try:
        return os.stat(name, dir_fd=within, follow_symlinks=False)
    except FileNotFoundError:
        return None


def content_is(name: str, within: int, sha256: str) -> bool:
    """Return True if the entry is a regular file with this content; never for a link, a folder or a FIFO."""
    status = look(name, within)
    if status is None or not stat.S_ISREG(status.st_mode):
        return False
    with opened(name, within) as descriptor:
        return digest(descriptor)[0] == sha256


def ensure_folder(name: str, within: int) -> None:
    """Create a directory in another unless it exists; its name is durable afterwards."""
    try:
        os.mkdir(name, dir_fd=within)
    except FileExistsError:
        return
    disk.sync(within)


def publish_new(part: str, name: str, within: int) -> bool:
    """Rename a part file unless the name is taken; return False then, and change nothing.

    A plain rename would overwrite a file that was created since the check. Where a file system has no hard links (FAT),
    a rename after one more check is the best available.
    """
    try:
        os.link(part, name, src_dir_fd=within, dst_dir_fd=within, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        if look(name, within) is not None:
            return False
        os.rename(part, name, src_dir_fd=within, dst_dir_fd=within)
    else:
        discard(part, within)
    return True


def discard(name: str, within: int) -> None:
    """Remove a part file if it exists. A failure is ignored: the next run sweeps it."""
    with suppress(OSError):
        os.unlink(name, dir_fd=within)


def sweep(within: int, pattern: re.Pattern[str]) -> int:
    """Remove the part files of a dead process, whose names match, from a directory; return how many."""
    stray = [name for name in os.listdir(within) if pattern.fullmatch(name)]
    for name in stray:
        discard(name, within)
    return len(stray)


def read_cache(file: Path, parse: Callable[[Any], T]) -> dict[str, T]:
    """Return the entries of a cache file, each value through `parse`; none if the file is missing or damaged."""
    with suppress(ValueError, TypeError, AttributeError):
        return {name: parse(value) for name, value in cache_entries(file)}
    return {}


def cache_entries(file: Path) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a cache file, of which one at a time is in memory; none if it is missing or damaged.

    Each line is an entry, a JSON list of its name and its value, but the last: the SHA-256 of all before it.
    """
    with suppress(OSError, ValueError, TypeError), file.open("rb") as lines:
        digest, count, last = hashlib.sha256(), 0, b""
        for line in lines:
            digest.update(last)
            count, last = count + 1, line
        lines.seek(0)
        for line in islice(lines, count - 1) if last.strip() == digest.hexdigest().encode() else ():
            name, value = json.loads(line)
            yield str(name), value


def write_cache(file: Path, entries: Mapping[str, object], encode: Callable[[Any], object] | None = None) -> None:
    """Replace a cache file as `cache_entries` reads it. `encode` makes JSON values of others. Raises OSError."""

    def lines() -> Iterator[bytes]:
        digest = hashlib.sha256()
        for entry in sorted(entries.items()):
            line = json.dumps(entry, default=encode, sort_keys=True, separators=(",", ":")).encode() + b"\n"
            digest.update(line)
            yield line
        yield digest.hexdigest().encode()

    disk.replace(file, lines())
