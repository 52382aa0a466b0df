"""Look at the program's own code. The seal does so too, so nothing slow is imported here."""

from __future__ import annotations

import os
import sys
from operator import attrgetter

import reconciler

try:
    from _blake2 import blake2b  # hashlib loads OpenSSL, which takes longer than half of the rest
except ImportError:
    from hashlib import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

stamp: Callable[[os.stat_result], tuple[int, ...]] = attrgetter(
    "st_dev", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns"
)
"""Returns what changes with a file."""


def seen(folder: str = os.path.dirname(reconciler.__file__)) -> tuple[int, str]:
    """Return the newest ctime of the code and of the packages beside it, and a digest of their stamps, the version and
    Python."""
    digest, newest = blake2b(f"{reconciler.__version__} {sys.version}".encode(), digest_size=16), 0
    packages = ((path, os.stat(path)) for path in sys.path if path.endswith("-packages"))
    for path, status in (*packages, *_code(folder)):
        newest = max(newest, status.st_ctime_ns)
        digest.update(repr((path, *stamp(status))).encode())
    return newest, digest.hexdigest()


def entries(folder: str) -> list[os.DirEntry[str]]:
    """Return what is in a folder, by name; nothing if it does not exist."""
    try:
        with os.scandir(folder) as listing:
            return sorted(listing, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _code(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    for entry in entries(folder):
        if not entry.is_dir(follow_symlinks=False):
            yield entry.path, entry.stat()
        elif entry.name != "__pycache__":
            yield from _code(entry.path)
