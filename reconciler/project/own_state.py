"""Refuse a state that came with the project: one that git tracks, or that is a link out of it.

Records decide where keys are sent and which files may be replaced, so a stranger must not be able to write them. A
checkout of git is looked at without running git, unless its index may name a file of the state.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from reconciler.diagnostics import StateError
from reconciler.project.git import GIT, environment
from reconciler.project.git_index import may_be_tracked
from reconciler.state.paths import DRAFTS, LOCK_FILE, STATE


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
    if may_be_tracked(str(root)) and (tracked := _tracked(root)):
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
