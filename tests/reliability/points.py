"""Where a process may die: every effect passes numbered points. What is behind them is the real thing."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from reconciler.diagnostics import StateError
from reconciler.engine import session
from reconciler.state import disk, lockfile
from reconciler.state.receipts import Receipts
from reconciler.state.store import Store


class Crash(BaseException):
    """The process is dead. No handler may swallow it, and nothing that it does afterwards counts."""


class Tripwire:
    """Counts points; at number `at` it takes a picture of the disk (`freeze`) and dies, once and for all.

    `fails` names points at which the disk refuses: number to errno. `trace` also has what is no place to die at.
    """

    def __init__(
        self,
        at: int | None = None,
        freeze: Callable[[], None] = lambda: None,
        fails: Mapping[int, int] | None = None,
    ) -> None:
        self.at, self._freeze, self._fails = at, freeze, fails or {}
        self.names: list[str] = []
        self.trace: list[str] = []
        self.failed = 0
        self.dead = False

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
    """How a point fails when the disk refuses; None for a point that is not of the disk, or lies behind the act."""
    if number is None:
        return None
    if name.startswith(("sync in", "receipts half")):
        return OSError(number, os.strerror(number))
    if name.startswith("store.") and name.endswith(" before"):
        code = "disk-full" if number == errno.ENOSPC else "state-io"
        return StateError("cannot write the state", code=code)
    return None


STORE = (
    "start_run", "begin", "move", "fetched", "adopt", "recover_orphans", "merge", "bind", "unbind", "placed",
    "unplaced", "consume_plan",
)  # fmt: skip
"""The writes of the store that are wrapped."""


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

    class PointedReceipts(Receipts):
        def _write(self, event: str, attempt: Any, more: Any) -> None:
            with wire().around(f"receipts.{event}"):
                super()._write(event, attempt, more)

        def _put(self, data: bytes) -> None:
            os.pwrite(self._descriptor, data[: len(data) // 2], self._end)
            wire().point("receipts half a line")
            super()._put(data)

    real_sync = disk.sync

    def sync(descriptor: int) -> None:
        frame = sys._getframe(1)
        module = os.path.splitext(os.path.basename(frame.f_code.co_filename))[0]
        name = f"sync in {module}.{frame.f_code.co_name}"
        wire().point(f"{name} before")
        real_sync(descriptor)

    patch.setattr(session, "Store", PointedStore)
    patch.setattr(session, "Receipts", PointedReceipts)
    patch.setattr(disk, "sync", sync)
    patch.setattr(lockfile, "write", wrapped(lockfile.write, "lockfile.write"))
