"""Refuse a state that came with the project: one that git tracks, or that is a link out of it.

Records decide where keys are sent and which files may be replaced, so a stranger must not be able to write them. A
checkout of git is looked at without running git, unless its index may name a file of the state.
"""

from __future__ import annotations

import mmap
import os
import subprocess
from pathlib import Path

from reconciler.diagnostics import StateError
from reconciler.project.git import GIT, environment
from reconciler.state.paths import DATABASE, DRAFTS, LOCK_FILE, STATE
from reconciler.state.receipts import FILE

_NAMES = (f"{STATE}/{DATABASE}".encode(), f"{STATE}/{FILE}".encode(), f"{STATE}/{DRAFTS}/".encode())


def require_own(root: Path) -> None:
    """Raise StateError for a state folder or a lock file that this machine did not make."""
    if os.path.islink(root / LOCK_FILE):
        raise _linked(LOCK_FILE)
    folder = root / STATE
    if os.path.islink(folder):
        raise _linked(STATE)
    if not folder.is_dir():
        return
    for name in ("", "objects", DRAFTS, f"{DRAFTS}/objects"):
        _require_no_links(folder / name, root)
    if _may_be_tracked(root) and (tracked := _tracked(root)):
        text = f"git tracks {tracked}: a state from a repository is not trusted, since its records decide what is sent"
        help = f"your own: git rm -r --cached {STATE}\na stranger's: git rm -r {STATE}"
        raise StateError(text, help=help, code="state-tracked")


def _require_no_links(folder: Path, root: Path) -> None:
    try:
        with os.scandir(folder) as entries:
            linked = next((entry.path for entry in entries if entry.is_symlink()), None)
    except OSError:  # it does not exist, or opening the state reports it
        return
    if linked is not None:
        raise _linked(os.path.relpath(linked, root))


def _linked(path: str) -> StateError:
    text = f"{path} is a link, and clipform writes its records only inside the project"
    return StateError(text, help=f"remove the link: rm {path}", code="state-linked")


def _may_be_tracked(root: Path) -> bool:
    """True if the index of a surrounding repository may name the state. Reads one file."""
    index = _index(root)
    try:
        with open(index or os.devnull, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            is_plain = data[:4] == b"DIRC" and data[4:8] in (b"\0\0\0\2", b"\0\0\0\3") and data.rfind(b"link") < 0
            return not is_plain or any(data.find(name) >= 0 for name in _NAMES)
    except (OSError, ValueError):  # no index, or an empty one
        return False


def _index(root: Path) -> Path | None:
    for folder in (root, *root.parents):
        git = folder / ".git"
        if git.is_dir():
            return git / "index"
        if git.is_file():  # a worktree or a submodule
            place = git.read_text(encoding="utf-8", errors="replace").partition("gitdir:")[2].strip()
            return folder / place / "index"
    return None


def _tracked(root: Path) -> str:
    """Return a file of the state that git tracks; an empty text if it tracks none."""
    command = [*GIT, str(root), "ls-files", "-z", "--", STATE]
    try:
        answer = subprocess.run(
            command, capture_output=True, timeout=30, stdin=subprocess.DEVNULL, env=environment(), check=True
        )
    except (OSError, subprocess.SubprocessError):
        return STATE  # nothing says that it is not tracked
    return answer.stdout.split(b"\0")[0].decode("utf-8", "replace")
