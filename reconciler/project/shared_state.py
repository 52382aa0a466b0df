"""Opens the store that a section `state` names. A project without one is read no further for this than its own file,
and loads no driver."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.spec.files import PROJECT_FILE, Files, Unreadable
from reconciler.spec.project import ProjectOverlay
from reconciler.spec.values import JsonValue
from reconciler.state.store import Store

if TYPE_CHECKING:
    from reconciler.state.leases import Member
    from reconciler.state.sql.postgres import PostgreSQL

_SECTION = re.compile(rb"""\bstate["']?\s*:""")
"""What every project file with such a section has; a prompt may have it, too, which only costs time."""


def may_share(files: Files, overlay: ProjectOverlay) -> bool:
    """True if the project file may have a section `state`: only then it is parsed to see."""

    def has_words(name: str) -> bool:
        try:
            content = files.read(name)
        except Unreadable:
            return False
        return b"state" in content and _SECTION.search(content) is not None

    return has_words(PROJECT_FILE) or (overlay.environment != "" and has_words(overlay.file))


def open_store(root: Path, directory: Path, clock: Callable[[], float], values: Mapping[str, JsonValue]) -> Store:
    """Open for writing, under the lock; `values` are those of the section `state`."""
    from reconciler.state import shared

    return shared.open_store(_connect(root, values), directory, clock, partial(_member, root, directory))


def read_store(
    root: Path, directory: Path, clock: Callable[[], float], values: Mapping[str, JsonValue]
) -> Store | None:
    """Open read-only, without the lock; None when there is no state yet."""
    if not values:
        return Store.read(directory, clock)
    from reconciler.state import shared

    return shared.read_store(_connect(root, values), directory, clock)


def _connect(root: Path, values: Mapping[str, JsonValue]) -> PostgreSQL:
    from reconciler.state import shared

    schema, project = values.get("schema", "clipform"), values.get("project", root.name)
    return shared.connect(str(values["url"]), str(schema), str(project))


def _member(root: Path, directory: Path, desk: str) -> Member:
    """Return who this working copy is: a copy of the folder, or the same folder on another machine, is another one."""
    from reconciler.state.leases import Member

    host = socket.gethostname()
    facts = [desk, str(root), str(directory.stat().st_ino), machine_id(), host]
    owner = hashlib.sha256("\0".join(facts).encode()).hexdigest()[:32]
    return Member(owner, f"{os.environ.get('USER', 'someone')}@{host}")


def machine_id() -> str:
    """Return the id of this machine; empty if it has none."""
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
