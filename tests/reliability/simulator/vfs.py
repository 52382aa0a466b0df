"""A disk in memory behind an APSW VFS, and an adapter from APSW's connection to the standard library's."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512


@dataclass(frozen=True)
class Op:
    """One thing that happened: to the content of a file (write, truncate, sync) or to the folder (create, delete,
    folder: its names are synced). Or "ack": a call returned. `inode` tells a file from an older one of its name."""

    what: str
    name: str = ""
    inode: int = 0
    at: int = 0
    data: bytes = b""
    number: int = 0  # of the newest event, when a call returned


@dataclass
class Image:
    """A folder and its files."""

    names: dict[str, int] = field(default_factory=dict)
    inodes: dict[int, bytearray] = field(default_factory=dict)

    def do(self, op: Op) -> None:
        """Carry out an operation."""
        content = self.inodes.setdefault(op.inode, bytearray())
        match op.what:
            case "create":
                self.names[op.name] = op.inode
            case "delete":
                self.names.pop(op.name, None)
            case "truncate":
                del content[op.at :]
                content.extend(bytes(op.at - len(content)))
            case "write":
                content.extend(bytes(max(0, op.at - len(content))))
                content[op.at : op.at + len(op.data)] = op.data

    def files(self) -> dict[str, bytearray]:
        """Content by name."""
        return {name: self.inodes.setdefault(inode, bytearray()) for name, inode in self.names.items()}


class Platter:
    """A folder that remembers all that was done to it."""

    def __init__(self, files: Mapping[str, bytes | bytearray] | None = None) -> None:
        self.now, self.log = Image(), list[Op]()
        for name, content in (files or {}).items():
            inode = self.create(name)
            self.note(Op("write", name, inode, 0, bytes(content)))
            self.note(Op("sync", name, inode))
        self.note(Op("folder"))

    def note(self, op: Op) -> None:
        """Do it, and remember it."""
        self.log.append(op)
        self.now.do(op)

    def create(self, name: str) -> int:
        """A new file."""
        inode = len(self.log) + 1
        self.note(Op("create", name, inode))
        return inode


def cut(log: Sequence[Op], chance: random.Random | None) -> dict[str, bytearray]:
    """What a reboot finds after these operations. Without `chance` nothing that was not synced is there. Names are
    durable in the order in which they changed, as journalling file systems have it; contents are in no order."""
    durable, names, contents = _durable(log)
    if chance is not None:
        for op in names[: chance.randrange(len(names) + 1)]:
            durable.do(op)
        for inode in sorted(contents):
            for op in contents[inode]:
                for part in _survives(op, chance):
                    durable.do(part)
    return durable.files()


def _durable(log: Sequence[Op]) -> tuple[Image, list[Op], dict[int, list[Op]]]:
    """What was synced; and what was not, of the folder and of each file."""
    durable, names = Image(), list[Op]()
    contents: dict[int, list[Op]] = {}
    for op in log:
        match op.what:
            case "sync":
                for earlier in contents.pop(op.inode, ()):
                    durable.do(earlier)
            case "folder":
                for earlier in names:
                    durable.do(earlier)
                names = []
            case "create" | "delete":
                names.append(op)
            case "write" | "truncate":
                contents.setdefault(op.inode, []).append(op)
    return durable, names, contents


def _survives(op: Op, chance: random.Random) -> Iterator[Op]:
    """Nothing, all, some sectors, or garbage where it was being written."""
    if op.what != "write":
        if chance.random() < 0.5:
            yield op
        return
    fate = chance.random()
    if fate < 0.4:
        return
    if fate < 0.6:
        yield op
        return
    for start in range(0, len(op.data), SECTOR):
        piece = op.data[start : start + SECTOR]
        if fate >= 0.8 and chance.random() < 0.3:
            piece = chance.randbytes(len(piece))
        if chance.random() < 0.6:
            yield Op("write", op.name, op.inode, op.at + start, piece)


class _File(apsw.VFSFile):
    """A file of a platter; whoever else has it open is this process, so locks are not needed."""

    def __init__(self, platter: Platter, name: str, inode: int, *, new_journal: bool) -> None:
        self._platter, self._name, self._inode = platter, name, inode
        self._folder_too = new_journal

    def _content(self) -> bytearray:
        return self._platter.now.inodes[self._inode]

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._content()[offset : offset + amount])

    def xWrite(self, data: Any, offset: int) -> None:
        self._platter.note(Op("write", self._name, self._inode, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        self._platter.note(Op("truncate", self._name, self._inode, newsize))

    def xSync(self, flags: int) -> None:
        self._platter.note(Op("sync", self._name, self._inode))
        if self._folder_too:  # SQLite's own VFS syncs the folder with the first sync of a new journal
            self._platter.note(Op("folder"))
            self._folder_too = False

    def xFileSize(self) -> int:
        return len(self._content())

    def xClose(self) -> None:
        pass

    def xLock(self, level: int) -> None:
        pass

    def xUnlock(self, level: int) -> None:
        pass

    def xCheckReservedLock(self) -> bool:
        return False

    def xSectorSize(self) -> int:
        return 4096  # as the standard library's SQLite has it on Linux, which is what production runs on

    def xDeviceCharacteristics(self) -> int:
        return int(apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE)  # likewise: a write harms no byte beside it

    def xFileControl(self, op: int, ptr: int) -> bool:
        return False


class Disk(apsw.VFS):
    """The file system: the folder that `platter` is."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "")
        self.platter = Platter()

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        path = "temporary" if name is None else Path(name if isinstance(name, str) else name.filename()).name
        new = path not in self.platter.now.names
        if new and not flags[0] & apsw.SQLITE_OPEN_CREATE:
            raise apsw.CantOpenError(path)
        inode = self.platter.create(path) if new else self.platter.now.names[path]
        flags[1] = flags[0]
        journal = flags[0] & (apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_SUPER_JOURNAL)
        return _File(self.platter, path, inode, new_journal=new and bool(journal))

    def xDelete(self, filename: str, syncdir: bool) -> None:
        name = Path(filename).name
        if name not in self.platter.now.names:
            error = apsw.IOError(name)
            error.extendedresult = apsw.SQLITE_IOERR_DELETE_NOENT
            raise error
        self.platter.note(Op("delete", name))
        if syncdir:
            self.platter.note(Op("folder"))

    def xAccess(self, pathname: str, flags: int) -> bool:
        return Path(pathname).name in self.platter.now.names

    def xFullPathname(self, name: str) -> str:
        return name


# --- the standard library's connection, on APSW -----------------------------------------------------


class Cursor:
    """What `sqlite3.Connection.execute` gives, as far as the program uses it."""

    def __init__(self, rows: apsw.Cursor, changes: int, last: int) -> None:
        self._rows, self.rowcount, self.lastrowid = rows, changes, last

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def fetchone(self) -> Any:
        return next(iter(self._rows), None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)


class Adapter:
    """A connection of APSW that quacks like `sqlite3.Connection`."""

    def __init__(self, path: str, vfs: str) -> None:
        self._real = apsw.Connection(path, vfs=vfs)

    @property
    def in_transaction(self) -> bool:
        return bool(self._real.in_transaction)

    def execute(self, statement: str, values: Mapping[str, Any] | Sequence[Any] = ()) -> Cursor:
        """Run one statement; errors are the standard library's."""
        with _translated():
            rows = self._real.execute(statement, values or None)
            return Cursor(rows, self._real.changes(), self._real.last_insert_rowid())

    def close(self) -> None:
        """Close it."""
        self._real.close(True)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        code = getattr(error, "extendedresult", 0)
        name = str(apsw.mapping_extended_result_codes.get(code) or apsw.mapping_result_codes.get(code & 255, ""))
        kind = sqlite3.IntegrityError if name.startswith("SQLITE_CONSTRAINT") else sqlite3.OperationalError
        found = kind(str(error).partition(": ")[2] or str(error))
        found.sqlite_errorname, found.sqlite_errorcode = name, code
        raise found from error
