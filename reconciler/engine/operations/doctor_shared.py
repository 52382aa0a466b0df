"""`doctor --online`: checks the records that a team shares. Changes nothing.

Imported only for a project that has a section `state`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from reconciler.diagnostics import ClipformError, Finding
from reconciler.engine.operations.shared_state import connect
from reconciler.project.workspace import Workspace
from reconciler.state import shared
from reconciler.state.sql.postgres import PostgreSQL


def checkup(workspace: Workspace) -> Iterator[Finding]:
    """Yield whether the database may be used, and if the project has workers, whether they could hear of new work."""
    try:
        with closing(connect(workspace)) as sql:
            shared.ledger(sql, workspace.clock.now)
            yield Finding("shared state", True, f"schema {sql.schema}, project {sql.project}")
            if workspace.load().project.state.get("workers", "off") != "off":
                yield _announcements(sql)
    except ClipformError as error:
        yield Finding("shared state", False, error.message, error.help)


def _announcements(sql: PostgreSQL) -> Finding:
    """Workers listen for new work, which not every pooler passes on."""
    if sql.hears():
        return Finding("announcements", True, "workers at this address hear of new work at once")
    help = "give workers the address of the database itself, not of a pooler"
    return Finding("announcements", False, "no announcement arrives at this address", help)
