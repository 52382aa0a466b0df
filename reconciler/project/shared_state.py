"""Opens the store that a section `state` names. A project without one is read no further for this than its own file,
and loads no driver."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.diagnostics import Diagnostic, Severity, StateUnreachable, no_extra
from reconciler.project import project_name
from reconciler.spec.files import PROJECT_FILE, Files, Unreadable
from reconciler.spec.project import ProjectOverlay
from reconciler.spec.values import JsonValue
from reconciler.state.store import Store

if TYPE_CHECKING:
    from reconciler.state.leases import Member, SharedStore
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


def require_driver() -> None:
    """Raise ClipformError if the library that speaks to the database is not installed."""
    if find_spec("psycopg") is None:
        raise no_extra("a shared state", "team")


def open_store(root: Path, directory: Path, clock: Callable[[], float], values: Mapping[str, JsonValue]) -> Store:
    """Open for writing, under the lock; `values` are those of the section `state`."""
    require_driver()
    from reconciler.state import shared

    sql = connect(root, values)
    store = _joined(shared.open_store(sql, directory, clock, partial(member, root, directory)), clock, values)
    if "project" not in values:
        project_name.fix(root, sql.project)
    return store


def _joined(store: SharedStore, clock: Callable[[], float], values: Mapping[str, JsonValue]) -> Store:
    """Return a shared store, unless this working copy's own records are not in it: they must be carried first."""
    from reconciler.state.carry import require_mirror

    try:
        require_mirror(Store(store.desk.sql, clock), store.id)
    except BaseException:
        store.close()
        raise
    if values.get("workers", "off") != "off":
        from reconciler.state.wants import Wants

        store.wants = Wants(store.sql)
    return store


def offline_warning(as_of: float | None) -> tuple[Diagnostic, ...]:
    """Return what is said beside what was read without a connection; `as_of` is `Workspace.as_of`."""
    if as_of is None:
        return ()
    text = f"as of {datetime.fromtimestamp(as_of, UTC):%H:%M} UTC, offline: the shared state cannot be reached"
    help = "what is free goes on; nothing is bought until it answers"
    return (Diagnostic("state-offline", text, None, help, Severity.WARNING),)


def mirror_of(directory: Path, clock: Callable[[], float], unreachable: StateUnreachable, *, write: bool) -> Store:
    """Open what this machine has of a shared state that cannot be reached. Raises the error if it has nothing."""
    own = Store.open(directory, clock) if write else Store.read(directory, clock)
    if own is None or own.joined is None:
        if own is not None:
            own.close()
        raise unreachable
    own.is_offline = True
    return own


def refresh_mirror(store: Store, clock: Callable[[], float]) -> None:
    """Bring what this machine has of the shared state up to date, for a time without a connection. Not if that lacks
    what this machine has seen: the next purchase brings it back."""
    if store.is_shared:
        from reconciler.state.carry import mirror
        from reconciler.state.lineage import is_whole

        with suppress(StateUnreachable):
            if is_whole(store.sql, store.mirrored):
                mirror(store, Store(store.desk.sql, clock))


def read_store(
    root: Path, directory: Path, clock: Callable[[], float], values: Mapping[str, JsonValue]
) -> Store | None:
    """Open read-only, without the lock; None when there is no state yet."""
    if not values:
        return Store.read(directory, clock)
    require_driver()
    from reconciler.state import shared

    sql = connect(root, values)
    return _joined(shared.read_store(sql, directory, clock, partial(member, root, directory)), clock, values)


def connect(root: Path, values: Mapping[str, JsonValue]) -> PostgreSQL:
    """Return the database of a section `state`. Nothing was asked of it yet, unless the section names no project."""
    require_driver()
    from reconciler.state import shared

    sql = shared.connect(str(values["url"]), str(values.get("schema", "clipform")), str(values.get("project", "")))
    if not sql.project:
        sql.project = root.name
        try:
            sql.project = project_name.name_of(root, sql)
        except BaseException:
            sql.close()
            raise
    return sql


def member(root: Path, directory: Path, desk: str) -> Member:
    """Return who this working copy is: a copy of the folder, or the same folder on another machine, is another one."""
    from reconciler.state.leases import Member

    facts = [desk, str(root), str(directory.stat().st_ino), machine_id(), socket.gethostname()]
    owner = hashlib.sha256("\0".join(facts).encode()).hexdigest()[:32]
    return Member(owner, user_and_machine())


def user_and_machine() -> str:
    """Return who works here, as a colleague reads it: `ana@mac`."""
    return f"{os.environ.get('USER', 'someone')}@{socket.gethostname()}"


def machine_id() -> str:
    """Return the id of this machine; empty if it has none."""
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
