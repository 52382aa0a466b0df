"""Refuse a state that came with the project: one that git tracks, or that is a link out of it.

Records decide where keys are sent and which files may be replaced, so a stranger must not be able to write them. A
checkout of git is looked at without running git, unless its index may name a file of the state.
"""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.diagnostics import StateError
from reconciler.project.git import tracked
from reconciler.project.git_index import may_be_tracked
from reconciler.state.paths import APPROVALS, DRAFTS, LOCK_FILE, STATE


def require_own(root: Path) -> None:
    """Raise StateError for a state folder, a lock file or a file of approvals that this machine did not make."""
    for name in (LOCK_FILE, APPROVALS):
        if os.path.islink(root / name):
            raise _linked(name)
    folder = root / STATE
    if os.path.islink(folder):
        raise _linked(STATE)
    if not folder.is_dir():
        return
    for name in ("", "objects", DRAFTS, f"{DRAFTS}/objects"):
        _require_no_links(folder / name, root)
    # without an answer, nothing says that it is not tracked
    if may_be_tracked(str(root)) and (names := tracked(root, STATE)) != ():
        name = names[0] if names else STATE
        text = f"git tracks {name}: a state from a repository is not trusted, since its records decide what is sent"
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
