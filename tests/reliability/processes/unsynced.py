"""A file system that forgets what was not synced: the kernel's FUSE protocol, and trees in memory.

`python -m tests.reliability.processes.unsynced FOLDER` reads what is in FOLDER, mounts itself over it, says "mounted",
and serves the kernel until a line comes: "cut MODE" ends it, and FOLDER holds what a power cut leaves. Every write
arrives at once, so no cache of the kernel hides one. Modes: `strict`, only what was synced, contents by fsync of the
file and names by fsync of the folder; `names`, every name, but only synced contents; a number is a seed, by which each
file's and each folder's luck is drawn.
"""

from __future__ import annotations

import ctypes
import errno
import os
import random
import select
import shutil
import stat
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HEADER, ANSWER = struct.Struct("<IIQQIIIHH"), struct.Struct("<IiQ")
ATTRIBUTES = struct.Struct("<QQQQQQIIIIIIIIII")
ENTRY, OPENED = struct.Struct("<QQQQII"), struct.Struct("<QII")
WRITE, SETTING = struct.Struct("<QQIIQII"), struct.Struct("<IIQQQQQQIIIIIIII")
MOST = 128 * 1024
ROOT = 1
VALID = 3600
"""Seconds for which the kernel may believe a name: nobody changes anything behind its back."""


@dataclass
class Inode:
    """A file or a folder, now and as of its last sync."""

    mode: int
    content: bytearray = field(default_factory=bytearray)
    names: dict[str, int] = field(default_factory=dict)
    synced: bytes = b""
    synced_names: dict[str, int] = field(default_factory=dict)
    time: float = field(default_factory=time.time)
    links: int = 1

    def sync(self) -> None:
        """Make it durable."""
        self.synced, self.synced_names = bytes(self.content), dict(self.names)


class Refused(Exception):
    """The answer is this error."""


class Tree:
    """All inodes, and what the kernel may ask of them: one method for each request, by its name."""

    def __init__(self, source: Path) -> None:
        self.inodes: dict[int, Inode] = {}
        self._load(source)

    def _load(self, path: Path) -> int:
        number = self._new(path.stat().st_mode)
        inode = self.inodes[number]
        inode.time = path.stat().st_mtime
        if path.is_dir():
            inode.names = {child.name: self._load(child) for child in sorted(path.iterdir())}
        else:
            inode.content = bytearray(path.read_bytes())
        inode.sync()
        return number

    def _new(self, mode: int) -> int:
        number = len(self.inodes) + ROOT  # an inode is never forgotten, so that no number is given twice
        self.inodes[number] = Inode(mode)
        return number

    # --- what is left after a power cut -----------------------------------------------------

    def leave(self, target: Path, mode: str) -> None:
        """Write what a power cut leaves to an empty folder."""
        chance = random.Random(int(mode)) if mode.isdecimal() else None
        self._leave(ROOT, target, mode, chance)

    def _leave(self, number: int, target: Path, mode: str, chance: random.Random | None) -> None:
        for name, child in self._names(self.inodes[number], mode, chance).items():
            inode, path = self.inodes[child], target / name
            if stat.S_ISDIR(inode.mode):
                path.mkdir()
                self._leave(child, path, mode, chance)
            else:
                lucky = chance is not None and chance.random() < 0.5
                path.write_bytes(inode.content if lucky else inode.synced)
                path.chmod(stat.S_IMODE(inode.mode))

    def _names(self, folder: Inode, mode: str, chance: random.Random | None) -> dict[str, int]:
        if chance is None:
            return folder.names if mode == "names" else folder.synced_names
        both = {**folder.synced_names, **folder.names}
        drawn = {name: chance.choice((folder.names, folder.synced_names)).get(name) for name in sorted(both)}
        return {name: child for name, child in drawn.items() if child is not None}

    # --- requests ---------------------------------------------------------------------------

    def _child(self, folder: int, name: str) -> int:
        if name not in self.inodes[folder].names:
            raise Refused(errno.ENOENT)
        return self.inodes[folder].names[name]

    def _attributes(self, number: int) -> bytes:
        inode = self.inodes[number]
        size, when, nanos = len(inode.content), int(inode.time), int(inode.time % 1 * 1e9)
        times = (when, when, when, nanos, nanos, nanos)
        owner = (os.geteuid(), os.getegid())
        return ATTRIBUTES.pack(number, size, (size + 511) // 512, *times, inode.mode, inode.links, *owner, 0, 4096, 0)

    def _entry(self, number: int) -> bytes:
        return ENTRY.pack(number, 0, VALID, 0, 0, 0) + self._attributes(number)

    def _enter(self, folder: int, name: str, number: int) -> bytes:
        if name in self.inodes[folder].names:
            raise Refused(errno.EEXIST)
        self.inodes[folder].names[name] = number
        self.inodes[folder].time = time.time()
        return self._entry(number)

    def init(self, node: int, data: bytes) -> bytes:
        """Agree on version 7.31, with atomic truncation left to the kernel's own requests."""
        _, minor, ahead, _ = struct.unpack_from("<IIII", data)
        return struct.pack("<IIIIHHIIHHI7I", 7, min(minor, 31), ahead, 0, 12, 9, MOST, 1, 0, 0, 0, *[0] * 7)

    def lookup(self, node: int, data: bytes) -> bytes:
        return self._entry(self._child(node, _text(data)))

    def getattr(self, node: int, data: bytes) -> bytes:
        return struct.pack("<QII", 0, 0, 0) + self._attributes(node)

    def setattr(self, node: int, data: bytes) -> bytes:
        valid, _, _, size, _, _, modified, _, _, nanos, _, mode, *_ = SETTING.unpack_from(data)
        inode = self.inodes[node]
        if valid & 1:
            inode.mode = stat.S_IFMT(inode.mode) | stat.S_IMODE(mode)
        if valid & 8:
            inode.content[:] = inode.content[:size].ljust(size, b"\0")
            inode.time = time.time()
        if valid & 32:
            inode.time = time.time() if valid & 256 else modified + nanos / 1e9
        return self.getattr(node, b"")

    def mkdir(self, node: int, data: bytes) -> bytes:
        mode, _ = struct.unpack_from("<II", data)
        return self._enter(node, _text(data[8:]), self._new(stat.S_IFDIR | mode))

    def create(self, node: int, data: bytes) -> bytes:
        _, mode, _, _ = struct.unpack_from("<IIII", data)
        return self._enter(node, _text(data[16:]), self._new(stat.S_IFREG | stat.S_IMODE(mode))) + OPENED.pack(0, 0, 0)

    def unlink(self, node: int, data: bytes) -> bytes:
        self.inodes[self._child(node, _text(data))].links -= 1
        del self.inodes[node].names[_text(data)]
        return b""

    def rmdir(self, node: int, data: bytes) -> bytes:
        if self.inodes[self._child(node, _text(data))].names:
            raise Refused(errno.ENOTEMPTY)
        return self.unlink(node, data)

    def rename(self, node: int, data: bytes) -> bytes:
        return self._rename(node, *struct.unpack_from("<Q", data), 0, data[8:])

    def rename2(self, node: int, data: bytes) -> bytes:
        return self._rename(node, *struct.unpack_from("<QI", data), data[16:])

    def _rename(self, node: int, target: int, flags: int, names: bytes) -> bytes:
        old, new = (name.decode() for name in names.split(b"\0")[:2])
        moved, places = self._child(node, old), self.inodes[target].names
        if flags & ~1:
            raise Refused(errno.EINVAL)
        if flags and new in places:
            raise Refused(errno.EEXIST)
        if places.get(new) != moved:
            if new in places:
                self.inodes[places[new]].links -= 1
            places[new] = self.inodes[node].names.pop(old)
        return b""

    def link(self, node: int, data: bytes) -> bytes:
        (number,) = struct.unpack_from("<Q", data)
        self.inodes[number].links += 1
        return self._enter(node, _text(data[8:]), number)

    def open(self, node: int, data: bytes) -> bytes:
        return OPENED.pack(0, 0, 0)

    opendir = open

    def read(self, node: int, data: bytes) -> bytes:
        _, at, size = struct.unpack_from("<QQI", data)
        return bytes(self.inodes[node].content[at : at + size])

    def write(self, node: int, data: bytes) -> bytes:
        _, at, size, *_ = WRITE.unpack_from(data)
        inode, new = self.inodes[node], data[WRITE.size : WRITE.size + size]
        inode.content.extend(bytes(max(0, at - len(inode.content))))
        inode.content[at : at + size] = new
        inode.time = time.time()
        return struct.pack("<II", size, 0)

    def fallocate(self, node: int, data: bytes) -> bytes:
        _, at, size, mode = struct.unpack_from("<QQQI", data)
        if mode:
            raise Refused(errno.EOPNOTSUPP)
        content = self.inodes[node].content
        content.extend(bytes(max(0, at + size - len(content))))
        return b""

    def readdir(self, node: int, data: bytes) -> bytes:
        _, at, size = struct.unpack_from("<QQI", data)
        rows, names = b"", sorted(self.inodes[node].names.items())
        for number, (name, child) in enumerate(names[at:], at + 1):
            text = name.encode()
            row = struct.pack("<QQII", child, number, len(text), self.inodes[child].mode >> 12) + text
            row += bytes(-len(row) % 8)
            if len(rows) + len(row) > size:
                break
            rows += row
        return rows

    def fsync(self, node: int, data: bytes) -> bytes:
        self.inodes[node].sync()
        return b""

    fsyncdir = fsync

    def flush(self, node: int, data: bytes) -> bytes:
        return b""

    release = releasedir = access = flush

    def statfs(self, node: int, data: bytes) -> bytes:
        plenty = 1 << 22
        return struct.pack("<QQQQQIIII6I", plenty, plenty, plenty, plenty, plenty, 4096, 255, 4096, 0, *[0] * 6)


REQUESTS = {
    1: "lookup", 3: "getattr", 4: "setattr", 9: "mkdir", 10: "unlink", 11: "rmdir", 12: "rename", 13: "link",
    14: "open", 15: "read", 16: "write", 17: "statfs", 18: "release", 20: "fsync", 25: "flush", 26: "init",
    27: "opendir", 28: "readdir", 29: "releasedir", 30: "fsyncdir", 34: "access", 35: "create", 43: "fallocate",
    45: "rename2",
}  # fmt: skip
"""By the number of the protocol. The kernel does without any other, or does it itself, such as locks."""
SILENT = (2, 36, 42)
"""forget, interrupt, batch forget: nobody waits for an answer."""


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode()


def answer(tree: Tree, request: bytes) -> bytes:
    """Return the bytes that the kernel waits for; none if it does not."""
    size, code, unique, node, *_ = HEADER.unpack_from(request)
    if code in SILENT:
        return b""
    method: Callable[[int, bytes], bytes] | None = getattr(tree, REQUESTS.get(code, ""), None)
    error, data = 0, b""
    try:
        if method is None:
            raise Refused(errno.ENOSYS)
        data = method(node, request[HEADER.size : size])
    except Refused as refusal:
        error = -refusal.args[0]
    return ANSWER.pack(ANSWER.size + len(data), error, unique) + data


def mount(folder: Path) -> int:
    """Mount over a folder; return the descriptor on which the kernel speaks. Raises OSError where it may not be."""
    descriptor = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={descriptor},rootmode=40000,user_id={os.geteuid()},group_id={os.getegid()},default_permissions"
    _called("mount", b"unsynced", bytes(folder), b"fuse.unsynced", 6, options.encode())  # 6: nosuid, nodev
    return descriptor


def unmount(folder: Path) -> None:
    """Take it away, whoever still uses it."""
    _called("umount2", bytes(folder), 2)


def _called(name: str, *arguments: object) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments):
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def serve(folder: Path) -> None:
    """Until a line comes; then leave what a power cut leaves."""
    tree, kernel = Tree(folder), mount(folder)
    os.write(1, b"mounted\n")
    while True:
        ready, _, _ = select.select([kernel, 0], [], [])
        if kernel in ready:
            try:
                request = os.read(kernel, MOST + 4096)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):  # the caller was killed meanwhile
                    continue
                raise
            reply = answer(tree, request)
            if reply:
                try:
                    os.write(kernel, reply)
                except FileNotFoundError:  # as above
                    continue
        elif 0 in ready:
            words = os.read(0, 100).decode().split()
            break
    unmount(folder)
    os.close(kernel)
    if words:
        for child in folder.iterdir():
            shutil.rmtree(child) if child.is_dir() else child.unlink()
        tree.leave(folder, words[1])
        os.write(1, b"done\n")


if __name__ == "__main__":
    serve(Path(sys.argv[1]).resolve())
