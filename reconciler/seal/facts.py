"""The facts that a plan rests on, by kind. Each function looks at one kind; what it returns is compared as JSON."""

from __future__ import annotations

import json
import marshal
import os
import stat
import time

from reconciler.project import program
from reconciler.project.program import entries, stamp
from reconciler.state.paths import DATABASE, DRAFTS, STATE

try:
    from _blake2 import blake2b  # hashlib loads OpenSSL, which takes longer than half of the rest
except ImportError:
    from hashlib import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Names = Mapping[str, Any]
    Look = Callable[[str, Sequence[str]], list[tuple[int, ...]]]


def keyed(data: bytes) -> str:
    """Return a digest that nobody can make, or guess the data of, who does not know this machine."""
    return blake2b(data, digest_size=32, key=machine(), person=b"clipform seal").hexdigest()


def machine() -> bytes:
    """Return the id of this machine, which is to be kept from others; empty if it has none."""
    try:
        with open("/etc/machine-id", "rb") as file:
            text = file.read(64).strip()
    except OSError:
        return b""
    return text if len(text) == 32 else b""


def _program(names: Names) -> object:
    """The version, its code, and the packages beside it."""
    return [*program.seen()]


def _user(names: Names) -> object:
    """Who reads: a file that one user can read may be closed to another."""
    return [os.geteuid(), os.getegid(), os.getgroups()]


def _day(names: Names) -> object:
    """The day in UTC, by which prices, their age and the end of models are judged."""
    return int(time.time() // 86400)


def _variables(names: Names) -> object:
    """The environment variables that addresses name."""
    if names["variables"] and not machine():
        raise ValueError("nothing hides the values")
    return [keyed(json.dumps([names["root"], n, os.environ.get(n)]).encode()) for n in names["variables"]]


def _own(names: Names) -> object:
    """That the state is of this machine: without links, and not from git. See `own_state`."""
    from reconciler.project.git_index import may_be_tracked

    for folder in (STATE, f"{STATE}/{DRAFTS}", f"{STATE}/{DRAFTS}/objects"):
        if any(entry.is_symlink() for entry in entries(os.path.join(names["root"], folder))):
            raise ValueError("a link")
    return not may_be_tracked(names["root"])


def _patterns(names: Names) -> object:
    """What each pattern of `include` matches."""
    from reconciler.project.listing import files_matching

    return [files_matching(names["root"], pattern) for pattern in names["patterns"]]


def _links(names: Names) -> object:
    """Where paths lead that are links, or lead through links."""
    return [os.path.realpath(os.path.join(names["root"], path)) for path in names["links"]]


def _specs(names: Names) -> object:
    """Specs, inputs, lock file, database and receipts."""
    return stamps(names["specs"])


def _outputs(names: Names) -> object:
    """The files at outputs."""
    return stamps(names["outputs"])


def look_within(folder: str, names: Sequence[str]) -> list[tuple[int, ...]]:
    """Return the stamps of files or links in a folder, empty where there is none. It looks from within the folder, so
    that the system does not walk a long path for each."""
    try:
        within = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return [()] * len(names)
    try:
        return [stamp(os.stat(name, dir_fd=within, follow_symlinks=False)) for name in names]
    except FileNotFoundError:
        return [_stamp(name, within) for name in names]
    finally:
        os.close(within)


def _stamp(name: str, within: int) -> tuple[int, ...]:
    try:
        return stamp(os.stat(name, dir_fd=within, follow_symlinks=False))
    except FileNotFoundError:
        return ()


def stamps(folders: Mapping[str, Sequence[str]], look: Look = look_within) -> list[object]:
    """Return the newest ctime of files and a digest of all their stamps. Raises ValueError for a folder that is a link,
    or reached by one."""
    digest, newest, plain = blake2b(digest_size=16), 0, set[str]()
    for folder, names in folders.items():
        _require_plain(folder, plain)
        seen = look(folder, names)
        newest = max([newest, *[values[4] for values in seen if values]])
        digest.update(marshal.dumps(seen, 2))  # that version has no references: the same for equal stamps
    return [newest, digest.hexdigest()]


def _require_plain(folder: str, plain: set[str]) -> None:
    if folder in plain:
        return
    if folder != os.sep:
        _require_plain(os.path.dirname(folder), plain)
    plain.add(folder)
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            raise ValueError("not a folder")
    except FileNotFoundError:
        return  # and so are its files


def _objects(names: Names) -> object:
    """The folders of the artifact store: whatever comes, goes or is renamed changes the ctime of its folder."""
    root = os.path.join(names["root"], STATE, "objects")
    folders = entries(root)
    if any(folder.is_symlink() for folder in folders):
        raise ValueError("a link")
    return stamps({root: [folder.name for folder in folders]})


def _mark(names: Names) -> object:
    """`Store.mark`, read through SQLite. A transaction that was cut short is an error: it will be undone."""
    import sqlite3

    path = os.path.join(names["root"], STATE, DATABASE)
    for letter in "%?#":
        path = path.replace(letter, f"%{ord(letter):02x}")
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0)
        try:
            connection.execute("PRAGMA trusted_schema=OFF")
            store = connection.execute("SELECT value FROM meta WHERE name = 'store'").fetchone()
            return [*store, *connection.execute("SELECT max(seq) FROM event").fetchone()]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise ValueError("the database cannot be read") from error


TIMED = ("program", "specs", "outputs", "objects")
"""The kinds that begin with the newest ctime of their files or folders."""
KINDS: dict[str, Callable[[Names], object]] = {
    "day": _day,
    "user": _user,
    "variables": _variables,
    "specs": _specs,
    "patterns": _patterns,
    "links": _links,
    "own": _own,
    "program": _program,
    "outputs": _outputs,
    "objects": _objects,
    "mark": _mark,
}
"""The facts, those first that change often. Each is looked at again for every answer."""
