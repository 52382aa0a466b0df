"""Small steps with descriptors that the store and the placer share: open without following, copy, hash, publish."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from reconciler.diagnostics import ArtifactError
from reconciler.state import disk

CHUNK = 1 << 20
_FICLONE = 0x40049409  # Linux: share the blocks of another file, copy on write (Btrfs, XFS, bcachefs, ZFS)


def digest(descriptor: int) -> tuple[str, int]:
    """SHA-256 and size of everything behind a descriptor, from its start."""
    hasher, size = hashlib.sha256(), 0
    for chunk in chunks(descriptor):
        hasher.update(chunk)
        size += len(chunk)
    return hasher.hexdigest(), size


def chunks(descriptor: int) -> Iterator[bytes]:
    """The bytes behind a descriptor, from its start; its own position is neither used nor moved."""
    offset = 0
    while chunk := os.pread(descriptor, CHUNK, offset):
        yield chunk
        offset += len(chunk)


def transfer(source: int, target: int) -> str:
    """Fill an empty file with another's content, by reference where the file system can; returns the SHA-256 of it."""
    if _cloned(source, target):
        return digest(target)[0]
    hasher = hashlib.sha256()
    for chunk in chunks(source):
        hasher.update(chunk)
        disk.write_all(target, chunk)
    return hasher.hexdigest()


def _cloned(source: int, target: int) -> bool:
    if sys.platform != "linux":  # the number means something else elsewhere
        return False
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:  # not on this file system, not between these two: copy
        return False
    return True


@contextmanager
def folder(name: str | os.PathLike[str], within: int | None = None) -> Iterator[int]:
    """A handle of a directory; of one `within` another, a symbolic link is refused."""
    nofollow = 0 if within is None else os.O_NOFOLLOW
    descriptor = os.open(name, disk.DIRECTORY | nofollow, dir_fd=within)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def opened(name: str, within: int) -> Iterator[int]:
    """A handle for reading a regular file in a directory; anything else is an ArtifactError."""
    descriptor = os.open(name, disk.READ, dir_fd=within)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ArtifactError(f"'{name}' is not a regular file", code="not-a-file")
        yield descriptor
    finally:
        os.close(descriptor)


def require_writable(within: int, name: str) -> None:
    """OSError unless entries may be made in a directory: asked of the system, for root may not write where the file
    system is read-only. `name` is for the message."""
    if not os.access(".", os.W_OK, dir_fd=within):
        read_only = os.fstatvfs(within).f_flag & os.ST_RDONLY
        raise OSError(errno.EROFS if read_only else errno.EACCES, "not writable", name)


def look(name: str, within: int) -> os.stat_result | None:
    """What is in a directory under a name, itself and not what it links to; None when there is nothing."""
    try:
        return os.stat(name, dir_fd=within, follow_symlinks=False)
    except FileNotFoundError:
        return None


def content_is(name: str, within: int, sha256: str) -> bool:
    """If a regular file of this name has this content. A link, a folder or a FIFO never has."""
    status = look(name, within)
    if status is None or not stat.S_ISREG(status.st_mode):
        return False
    with opened(name, within) as descriptor:
        return digest(descriptor)[0] == sha256


def ensure_folder(name: str, within: int) -> None:
    """Create a directory in another unless it is there; its name is durable afterwards."""
    try:
        os.mkdir(name, dir_fd=within)
    except FileExistsError:
        return
    disk.sync(within)


def publish_new(part: str, name: str, within: int) -> bool:
    """Give a part file its name, unless something has the name already: then False, and nothing is changed.

    A plain rename would overwrite a file that came into being since the check. Where a file system has no hard links
    (FAT), a rename after one more look is the best there is.
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
    """Remove a part file, if it is there. One that cannot be removed is no error: its bytes are elsewhere or worth
    nothing, and the next run sweeps it."""
    with suppress(OSError):
        os.unlink(name, dir_fd=within)
