"""Look into git's index without running git. The seal does so too, so nothing slow is imported here."""

from __future__ import annotations

import mmap
import os

from reconciler.state.paths import DATABASE, DRAFTS, RECEIPTS, STATE

_NAMES = (f"{STATE}/{DATABASE}".encode(), f"{STATE}/{RECEIPTS}".encode(), f"{STATE}/{DRAFTS}/".encode())


def may_be_tracked(root: str) -> bool:
    """True if the index of a surrounding repository may name the state. Reads one file."""
    index = _index(root)
    try:
        with open(index, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            is_plain = data[:4] == b"DIRC" and data[4:8] in (b"\0\0\0\2", b"\0\0\0\3") and data.rfind(b"link") < 0
            return not is_plain or any(data.find(name) >= 0 for name in _NAMES)
    except (OSError, ValueError):  # no index, or an empty one
        return False


def _index(folder: str) -> str:
    while True:
        git = os.path.join(folder, ".git")
        if os.path.isdir(git):
            return os.path.join(git, "index")
        if os.path.isfile(git):  # a worktree or a submodule
            with open(git, encoding="utf-8", errors="replace") as file:
                place = file.read().partition("gitdir:")[2].strip()
            return os.path.join(folder, place, "index")
        if folder == (folder := os.path.dirname(folder)):
            return os.devnull
