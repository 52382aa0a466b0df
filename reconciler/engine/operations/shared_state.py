"""The records that a team shares: their schema, and the way of a working copy's own records there and back.

Imported only by commands of the group `state`, for a project that has a section `state`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.diagnostics import ClipformError
from reconciler.project import shared_state
from reconciler.project.pending_repairs import settle_orphans
from reconciler.project.workspace import Workspace
from reconciler.state import shared, shared_schema
from reconciler.state.carry import Carried, carry, mirror, require_mirror
from reconciler.state.ledger import Ledger
from reconciler.state.lock import Lock
from reconciler.state.receipts import Receipts
from reconciler.state.sql.port import Row
from reconciler.state.sql.postgres import PostgreSQL
from reconciler.state.store import Store


def migrate(workspace: Workspace) -> str:
    """Create the tables of the shared records, or bring them up to date; return the name of their schema."""
    with _connected(workspace) as sql:
        shared_schema.migrate(sql)
        return sql.schema


def set_cap(workspace: Workspace, per: str, currency: str, micros: int, *, everybody: bool) -> None:
    """Set what the project, or all projects together, may spend per `day` or in `total`."""
    with _connected(workspace) as sql, sql.transaction():
        values = {"owner": "" if everybody else sql.project, "per": per, "currency": currency, "micros": micros}
        sql.execute(
            "INSERT INTO cap (project, per, currency, micros) VALUES (:owner, :per, :currency, :micros) "
            "ON CONFLICT (project, per, currency) DO UPDATE SET micros = excluded.micros",
            values,
        )


def caps(workspace: Workspace) -> list[Row]:
    """Return project (empty: all), span, currency and millionths of each cap."""
    with _connected(workspace) as sql:
        return sql.query("SELECT project, per, currency, micros FROM cap ORDER BY project, per, currency")


def push(workspace: Workspace) -> Carried:
    """Carry the records of this working copy into the shared ones. From then on they are a mirror: nothing is bought
    by them. Raises StateError for records that mirror another shared state."""
    with _both(workspace, "state push") as (own, ledger):
        if own.joined is not None:
            require_mirror(own, ledger.id)
        carried = carry(own, ledger)
        own.join(ledger.id)
    return carried


def pull(workspace: Workspace) -> Carried:
    """Bring the records of this working copy up to date with the shared ones, which know all that its project bought.
    Raises StateError for records that are not a mirror: only a working copy that has bought nothing becomes one."""
    with _both(workspace, "state pull") as (own, ledger):
        return mirror(ledger, own)


def detach(workspace: Workspace) -> Carried:
    """Bring the records up to date a last time, and make them the state of this working copy again."""
    with _both(workspace, "state detach") as (own, ledger):
        carried = mirror(ledger, own)
        own.detach()
    return carried


@contextmanager
def _both(workspace: Workspace, doing: str) -> Iterator[tuple[Store, Ledger]]:
    """Open the records of this machine, locked and repaired as for an apply, and the shared ones. Raises StateError if
    the records mirror another shared state."""
    workspace.require_own()
    workspace.load()  # a project that cannot be read leaves no state behind
    directory, clock = workspace.state_dir(False), workspace.clock.now
    with (
        _connected(workspace) as sql,
        Lock(directory, doing, clock),
        Store.open(directory, clock) as own,
        Receipts.open(directory, own.id, clock) as receipts,
    ):
        ledger = shared.ledger(sql, clock)
        own.merge(receipts.lines)
        settle_orphans(own)
        yield own, ledger


@contextmanager
def _connected(workspace: Workspace) -> Iterator[PostgreSQL]:
    """Connect to the project's database. Raises ClipformError for a project without one."""
    section = workspace.load().project.state
    if not section:
        help = "declare it in the project file:\nstate: {url: postgresql://db.example.com/clipform}"
        raise ClipformError("the project has no shared state", help=help, code="no-shared-state")
    sql = shared_state.connect(workspace.root, section)
    try:
        yield sql
    finally:
        sql.close()
