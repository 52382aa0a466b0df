"""Simulates a power cut: data that was not synced may be gone, torn or present, independently of its neighbours.

`Platter` observes the program's syncs and knows what is durable: the content of files as of their last sync, the names
in folders as of theirs. `cut` builds the disk that a reboot finds. SQLite syncs by itself: its file is the committed
state, or, to show that this matters, the state of a few transactions ago (`synchronous=NORMAL`).
"""

from __future__ import annotations

import errno
import os
import random
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.state import disk
from reconciler.state.sql import sqlite

DATABASE = ("clipform.db", "clipform.db-journal")
MODES = ("strict", "names")
"""Only what is durable; every name, but only durable content. A number is a seed: each file's luck is drawn."""


class Platter:
    """What is durable of one project. Inodes are the identity of files: a file system that reuses them will not do."""

    def __init__(self, patch: pytest.MonkeyPatch, root: Path) -> None:
        self.root = root
        self.contents: dict[int, bytes] = {}
        self.folders: dict[int, dict[str, int]] = {}
        self.syncs = 0
        self.snapshots: list[bytes] = []
        self.lose = 0  # commits that a cut takes back
        self.fail_at: int | None = None  # the number of the sync that says EIO; those after it lie
        self.failed = 0
        self._lost: dict[int, list[tuple[int, int, int]]] = {}  # place, byte that is gone, byte that is there instead
        real_sync, real_immediate = disk._sync, sqlite.immediate

        def sync(descriptor: int) -> None:
            if self.syncs + 1 == self.fail_at:
                self.syncs += 1
                self.failed += 1
                self._drop(os.fstat(descriptor), Path(f"/proc/self/fd/{descriptor}"))
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            real_sync(descriptor)
            self._synced(Path(f"/proc/self/fd/{descriptor}"))

        @contextmanager
        def immediate(open_connection: object) -> Iterator[None]:
            with real_immediate(open_connection):  # type: ignore[arg-type]
                yield
            if self.lose:
                self.snapshots.append((self.root / "state" / DATABASE[0]).read_bytes())

        patch.setattr(disk, "_sync", sync)
        patch.setattr(sqlite, "immediate", immediate)

    def settle(self) -> None:
        """All of the project as it is now is durable: it lay there for a day."""
        self.contents, self.folders, self.snapshots = {}, {}, []
        for path in (self.root, *self.root.rglob("*")):
            self._synced(path)
        self.syncs = self.failed = 0
        self.fail_at, self._lost = None, {}

    def _drop(self, status: os.stat_result, path: Path) -> None:
        """A sync that fails: the kernel calls the pages clean and never writes them, whoever syncs again (F25)."""
        if stat.S_ISDIR(status.st_mode):
            return
        old, now = self.contents.get(status.st_ino, b""), path.read_bytes()
        old = old.ljust(len(now), b"\0")
        self._lost.setdefault(status.st_ino, []).extend(
            (at, now[at], old[at]) for at in range(len(now)) if now[at] != old[at]
        )

    def _synced(self, path: Path) -> None:
        status = path.stat()
        self.syncs += 1
        if stat.S_ISDIR(status.st_mode):
            self.folders[status.st_ino] = _names(path)
        else:
            content = bytearray(path.read_bytes())
            for at, gone, instead in self._lost.get(status.st_ino, ()):
                if at < len(content) and content[at] == gone:
                    content[at] = instead
            self.contents[status.st_ino] = bytes(content)

    def cut(self, mode: str | int) -> Callable[[Path, Path], None]:
        """What `Sim.dies` takes: build at `target` what is left of `source`."""
        return lambda source, target: _Cut(self, mode).build(source, target)


class _Cut:
    def __init__(self, platter: Platter, mode: str | int) -> None:
        self.platter, self.mode = platter, mode
        self.chance = random.Random(mode if isinstance(mode, int) else 0)
        self.now: dict[int, Path] = {}
        self.luck: dict[int, bool] = {}

    def build(self, source: Path, target: Path) -> None:
        for path in (source, *sorted(source.rglob("*"))):
            self.now[path.stat().st_ino] = path
        self._folder(source.stat().st_ino, target)

    def _is_new(self, inode: int) -> bool:
        """Whether where a file stands now has reached the disk; drawn once for all of its names."""
        if self.mode in MODES:
            return self.mode == "names"
        return self.luck.setdefault(inode, self.chance.random() < 0.5)

    def _folder(self, inode: int, target: Path) -> None:
        target.mkdir()
        here = self.now.get(inode)
        now = _names(here) if here is not None else {}
        for name, child in self._entries(self.platter.folders.get(inode, {}), now).items():
            if name in DATABASE or name == "lock":
                continue
            path = self.now.get(child)
            if child in self.platter.folders or (path is not None and path.is_dir()):
                self._folder(child, target / name)
            else:
                (target / name).write_bytes(self._content(child, path))
        if DATABASE[0] in now and here is not None:
            self._database(here, target)

    def _entries(self, durable: dict[str, int], now: dict[str, int]) -> dict[str, int]:
        found = {name: child for name, child in now.items() if durable.get(name) == child or self._is_new(child)}
        for name, child in durable.items():
            gone = child not in self.now
            if name not in found and (not self._is_new(child) or (gone and name in now)):
                found[name] = child
        return found

    def _content(self, inode: int, path: Path | None) -> bytes:
        """As of the last sync, or now, or torn: nothing, half or all but a byte of what is new."""
        durable = self.platter.contents.get(inode, b"")
        now = path.read_bytes() if path is not None else durable
        if now == durable or self.mode in MODES:
            return durable
        same = len(os.path.commonprefix([durable.rstrip(b"\0"), now]))
        end = len(now.rstrip(b"\0"))
        at = self.chance.choice((same, (same + end) // 2, max(same, end - 1), len(now)))
        return now[:at] + durable[at:] if inode in self.platter.contents else now[:at]

    def _database(self, here: Path, target: Path) -> None:
        if self.platter.lose and self.platter.snapshots:
            kept = self.platter.snapshots[: -self.platter.lose] or self.platter.snapshots[:1]
            (target / DATABASE[0]).write_bytes(kept[-1])
            return
        for name in DATABASE:
            if (here / name).exists():
                (target / name).write_bytes((here / name).read_bytes())


def _names(folder: Path) -> dict[str, int]:
    return {entry.name: entry.inode() for entry in os.scandir(folder)}


def keeps_inodes(folder: Path) -> bool:
    """Whether a new file never gets the number of one that was deleted: so it is in memory, not on most disks."""
    seen = set()
    for _ in range(4):
        path = folder / "inode"
        path.write_bytes(b"")
        seen.add(path.stat().st_ino)
        path.unlink()
    return len(seen) == 4
