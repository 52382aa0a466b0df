"""One process at a time: a kernel lock on `DIR/lock`.

The kernel drops the lock when its holder dies, however it dies, so there is nothing to force. The text in the file only
names the holder in an error; it proves nothing. The file is never removed: a lock on a removed file would exclude
nobody. `flock` and not `lockf`: a lock of the latter kind is lost when the process closes any other descriptor of the
file, and a network file system that offers only that kind is recognised by the probe and refused.

A sealed apply takes the lock before the program is loaded, so what that does not need is imported where it is used.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from reconciler.diagnostics import StateError

_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_RETRIES = 10_000
"""How many times a writer waits for readers that check the lock; each takes microseconds."""
_held: set[int] = set()


def _forget() -> None:
    """Close the copies in a forked child, else a worker that outlives this process would keep the lock."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_forget)


class Lock:
    """`with Lock(directory, "apply", clock):` holds the state; StateLocked, with the holder, if another does."""

    def __init__(self, directory: str | os.PathLike[str], command: str, clock: Callable[[], float]) -> None:
        self._directory = directory
        self._command = command
        self._clock = clock
        self._descriptor = -1

    def __enter__(self) -> Self:
        try:
            self._take()
        except OSError:
            from reconciler.state import disk

            with disk.translated("lock the state"):
                raise
        return self

    def __exit__(self, *error: object) -> None:
        try:
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)
        finally:
            self._release()

    def _take(self) -> None:
        if not os.path.isdir(self._directory):
            from reconciler.state import disk

            disk.make_directories(self._directory)
        # The real path: two worktrees may share one state folder through a link.
        path = os.path.join(os.path.realpath(self._directory), "lock")
        self._descriptor = _acquire(path)
        _held.add(self._descriptor)
        try:
            _probe(path)
            self._write_holder()
        except BaseException:
            self._release()
            raise

    def _release(self) -> None:
        _held.discard(self._descriptor)
        os.close(self._descriptor)

    def _write_holder(self) -> None:
        text = {"pid": os.getpid(), "host": os.uname().nodename, "command": self._command, "since": self._clock()}
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(text).encode(), 0)


def is_free(directory: str | os.PathLike[str]) -> bool:
    """True if no process holds the lock now. Writes nothing.

    Takes a shared lock for an instant; `_acquire` expects that.
    """
    from reconciler.state import disk

    try:
        descriptor = os.open(os.path.join(os.path.realpath(directory), "lock"), disk.READ)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    _held.add(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        _held.discard(descriptor)
        os.close(descriptor)
    return True


def _acquire(path: str) -> int:
    """Return a descriptor that holds the lock of the file that is at `path` now, not of one removed meanwhile."""
    retries = 0
    while True:
        descriptor = os.open(path, _OPEN, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except FileNotFoundError:
            pass
        except OSError as error:
            checking = retries < _RETRIES and isinstance(error, BlockingIOError) and _is_reader(descriptor)
            holder = _holder(descriptor)
            os.close(descriptor)
            if checking:
                retries += 1
                os.sched_yield()
                continue
            _refuse(error, holder)
            raise
        os.close(descriptor)


def _is_reader(descriptor: int) -> bool:
    """True if the present lock is the shared one of a reader's `is_free`: a writer's lets no shared lock in."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _probe(path: str) -> None:
    """Check that the lock excludes a second descriptor; on some network file systems it does not."""
    descriptor = os.open(path, _OPEN)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)
    raise _unlockable()


def _refuse(error: OSError, holder: str) -> None:
    if isinstance(error, BlockingIOError):
        from reconciler.diagnostics import StateLocked

        help = "wait for it to end, then try again"
        raise StateLocked(f"the state is in use by {holder}", help=help, code="locked") from error
    if error.errno in (errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS, errno.EINVAL):
        raise _unlockable() from error


def _unlockable() -> StateError:
    from reconciler.diagnostics import StateError

    text = "the file system of the state folder does not lock files, so two runs could pay twice"
    return StateError(text, help="keep the project on a local disk", code="no-locks")


def _holder(descriptor: int) -> str:
    """Describe the holder from the file, which may be empty or torn if its writer has just started or died."""
    from datetime import UTC, datetime

    try:
        text = json.loads(os.pread(descriptor, 4096, 0))
        since = datetime.fromtimestamp(text["since"], UTC)
        return f"'{text['command']}' (process {text['pid']} on {text['host']}, since {since:%Y-%m-%d %H:%M:%S} UTC)"
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return "another process"
