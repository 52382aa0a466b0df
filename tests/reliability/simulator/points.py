"""Points where a process may die: every effect passes numbered points; the effects themselves are real.

Effects of the store, the receipts and the lock file have names of their own, each with a point before and one after.
Below them every call that changes a disk has points too: before it, within its write (half, all but a byte) and after
it. `doors.yaml` says which points surround which calls of the program.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from reconciler.engine.run import session
from reconciler.state import disk, lockfile
from reconciler.state.desk import Desk
from reconciler.state.receipts import Receipts
from reconciler.state.store import Store


class Crash(BaseException):
    """The process is dead. No handler may swallow it, and nothing that it does afterwards counts."""


class Tripwire:
    """Counts points; at number `at` it takes a picture of the disk (`freeze`) and dies, once and for all.

    `fails` names points at which the disk refuses: number to errno. At the point of `pause` the process is stopped, and
    something else happens. `trace` also has what is no place to die at.
    """

    def __init__(
        self,
        at: int | None = None,
        freeze: Callable[[], None] = lambda: None,
        fails: Mapping[int, int] | None = None,
        pause: tuple[int, Callable[[], object]] | None = None,
    ) -> None:
        self.at, self._freeze, self._fails, self._pause = at, freeze, fails or {}, pause
        self.names: list[str] = []
        self.trace: list[str] = []
        self.failed = 0
        self.dead = self.paused = False

    def point(self, name: str) -> None:
        """Pass a point, or die at it."""
        if self.dead:
            raise Crash(name)
        self.names.append(name)
        self.trace.append(name)
        if len(self.names) == self.at:
            self.dead = True
            self._freeze()
            raise Crash(name)
        if self._pause is not None and len(self.names) == self._pause[0]:
            self.paused = True
            self._pause[1]()
        refusal = refused(name, self._fails.get(len(self.names)))
        if refusal is not None:
            self.failed += 1
            raise refusal

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        """A point before and one after."""
        self.point(f"{name} before")
        yield
        self.point(f"{name} after")


def refused(name: str, number: int | None) -> Exception | None:
    """Return the error of a disk operation that is refused at a point; None for a point that is not before one."""
    if number is None or name.endswith(" after"):
        return None
    if name.startswith("commit"):
        return _sql_error(COMMIT_ERRORS.get(number, "SQLITE_IOERR_FSYNC"))
    if name.split(" ")[0] in ("sync", *CALLS):
        return OSError(number, os.strerror(number))
    return None


COMMIT_ERRORS = {errno.ENOSPC: "SQLITE_FULL", errno.EAGAIN: "SQLITE_BUSY", errno.EROFS: "SQLITE_READONLY"}
"""What SQLite makes of what the system says; anything else is an I/O error."""


def _sql_error(name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(name)
    error.sqlite_errorname = name
    error.sqlite_errorcode = int(getattr(sqlite3, name, sqlite3.SQLITE_IOERR))
    return error


STORE = ("start_run", "begin", "move", "fetched", "adopt", "recover_orphans", "merge", "consume_plan", "count")
DESK = ("bind", "unbind", "record_placed", "record_unplaced")
"""The writes of the store and its desk that are wrapped."""

CALLS = (
    "mkdir", "rmdir", "rename", "replace", "link", "unlink", "open", "write", "pwrite", "ftruncate", "fchmod",
    "posix_fallocate",
)  # fmt: skip
"""The calls of `os` that change a disk. `open` counts where it may create."""

PACKAGE = str(Path(session.__file__).parents[2]) + os.sep
_BETWEEN = ("pathlib", "contextlib", "shutil", "tempfile")


def install(patch: pytest.MonkeyPatch, wire: Callable[[], Tripwire]) -> None:
    """Put points around the real effects. `wire` gives the tripwire of the process that is running now."""

    def wrapped(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def run(*args: Any, **more: Any) -> Any:
            with wire().around(name):
                return function(*args, **more)

        return run

    class PointedStore(Store):
        pass

    for name in STORE:
        setattr(PointedStore, name, wrapped(getattr(Store, name), f"store.{name}"))
    for name in DESK:
        patch.setattr(Desk, name, wrapped(getattr(Desk, name), f"desk.{name}"))

    class PointedReceipts(Receipts):
        def _write(self, event: str, attempt: Any, more: Any) -> None:
            with wire().around(f"receipts.{event}"):
                super()._write(event, attempt, more)

    real_sync = disk.sync

    def sync(descriptor: int) -> None:
        wire().point(f"sync in {_place(sys._getframe(1))} before")
        real_sync(descriptor)

    patch.setattr(session, "Store", PointedStore)
    patch.setattr(session, "Receipts", PointedReceipts)
    patch.setattr(disk, "sync", sync)
    patch.setattr(lockfile, "write", wrapped(lockfile.write, "lockfile.write"))
    _commits(patch, wire)
    for name in CALLS:
        patch.setattr(os, name, _pointed(name, getattr(os, name), wire))


def _commits(patch: pytest.MonkeyPatch, wire: Callable[[], Tripwire]) -> None:
    """A commit may fail by itself: SQLite's own calls are its affair (`sqlite_power`), its answer is ours."""

    class Connection(sqlite3.Connection):
        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            if statement == "COMMIT":
                wire().point("commit before")
            return super().execute(statement, *values)

    real = sqlite3.connect

    def connect(*args: Any, **more: Any) -> sqlite3.Connection:
        return real(*args, **({"factory": Connection} if _ours(sys._getframe(1)) else {}), **more)

    patch.setattr(sqlite3, "connect", connect)


def _pointed(name: str, real: Callable[..., Any], wire: Callable[[], Tripwire]) -> Callable[..., Any]:
    """A call of the system with its points, where the program makes it; elsewhere as it was."""

    def call(*args: Any, **more: Any) -> Any:
        frame = _caller(sys._getframe(1))
        if frame is None or (name == "open" and not args[1] & os.O_CREAT):
            return real(*args, **more)
        point = f"{name} in {_place(frame)}"
        wire().point(f"{point} before")
        writes = name in ("write", "pwrite")
        done = _torn(real, point, wire(), args) if writes else real(*args, **more)
        wire().point(f"{point} after")
        return done

    return call


def _torn(real: Callable[..., int], point: str, wire: Tripwire, args: tuple[Any, ...]) -> int:
    """Write in three steps: half, then all but a byte, then the rest."""
    descriptor, data, *offset = args
    done = 0
    for end, name in ((len(data) // 2, "half"), (len(data) - 1, "but a byte"), (len(data), "")):
        where = [offset[0] + done] if offset else []
        done += real(descriptor, data[done:end], *where) if end > done else 0
        if name:
            wire.point(f"{point} {name}")
    return done


def _caller(frame: FrameType | None) -> FrameType | None:
    """The frame of the program that makes a call, by the standard library or by itself; None if it is another's."""
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _BETWEEN:
        frame = frame.f_back
    return frame if frame is not None and _ours(frame) else None


def _ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(PACKAGE)


def _place(frame: FrameType) -> str:
    module = os.path.splitext(os.path.basename(frame.f_code.co_filename))[0]
    return f"{module}.{frame.f_code.co_name}"
