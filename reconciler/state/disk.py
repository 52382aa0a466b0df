"""Makes bytes durable: sync, atomic replacement; and puts the operating system's errors into plain words.

`artifacts` uses these too; `state` is the lowest layer that needs them.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from reconciler.diagnostics import ClipformError, StateError

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # non-blocking: opening a FIFO must not hang

_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOTSUP, errno.ENOSYS})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def sync(descriptor: int) -> None:
    """Make a file or directory durable. An error is final: another fsync may lie (never-pay-twice#f25).

    A file system that cannot sync directories reports "invalid" or "not supported"; that is ignored, as restic does.
    """
    try:
        _sync(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise


def _sync(descriptor: int) -> None:
    import fcntl

    full = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync alone leaves the bytes in the drive's cache
    if full is None:
        os.fsync(descriptor)
    else:
        fcntl.fcntl(descriptor, full)


def sync_directory(path: str | os.PathLike[str]) -> None:
    """Make the names in a directory durable: without this a rename is gone after a power cut."""
    descriptor = os.open(path, DIRECTORY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def make_directories(path: str | os.PathLike[str]) -> None:
    """Create a directory with its parents, each one's name durable before anything is put into it."""
    target = os.path.abspath(path)
    if os.path.isdir(target):
        return
    parent = os.path.dirname(target)
    make_directories(parent)
    with suppress(FileExistsError):
        os.mkdir(target)
    sync_directory(parent)


def stamp(path: str | os.PathLike[str]) -> tuple[int, ...]:
    """Return values that change with a file, without opening it; empty if it is missing."""
    try:
        stat = os.stat(path)
    except OSError:  # opening the file gives a better message
        return ()
    return stamp_of(stat)


Seen = dict[str, tuple[str, tuple[int, ...]]]
"""Where each path led and the stamp of the file, before it was first read."""


def stamp_of(status: os.stat_result) -> tuple[int, ...]:
    """Return the values of `stamp`."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write every byte; the kernel may take fewer at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def replace(path: str | os.PathLike[str], data: bytes | memoryview | Iterator[bytes], mode: int = 0o666) -> None:
    """Replace the file at `path` atomically and durably with `data`, or with its parts. `mode` is less the process's
    umask."""
    target = os.path.abspath(path)
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, f".{os.path.basename(target)}.{os.urandom(8).hex()}.part")
    descriptor = os.open(temporary, CREATE, mode)
    try:
        try:
            for part in data if isinstance(data, Iterator) else (data,):
                write_all(descriptor, part)
            sync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    sync_directory(folder)


@contextmanager
def turn(folder: str | os.PathLike[str], *, wait: bool = True) -> Iterator[None]:
    """Keep other processes that take turns in a folder out. Without `wait`, BlockingIOError is raised if one is in."""
    import fcntl

    descriptor = os.open(folder, DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


@contextmanager
def translated(doing: str, kind: type[ClipformError] = StateError) -> Iterator[None]:
    """Raise an `OSError` of the block as `kind`; `doing` is what failed, such as "write clipform.lock"."""
    try:
        yield
    except OSError as error:
        raise kind(f"cannot {doing}: {words(error)}", help=_help(error), code=_code(error)) from error


def words(error: OSError) -> str:
    """Describe an operating-system error, in lower case, without errno numbers or absolute paths."""
    if error.errno in _FULL:
        return "the disk is full (or a size limit is reached)"
    if error.errno == errno.EROFS:
        return "the file system is read-only"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "permission denied"
    return (error.strerror or str(error)).lower()


def _code(error: OSError) -> str:
    if error.errno in _FULL:
        return "disk-full"
    return "read-only" if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM) else "io"


def _help(error: OSError) -> str:
    return "free some space, then run the same command again" if error.errno in _FULL else ""
