"""The records that a team shares: their schema, and the way of a working copy's own records there and back.

Imported only by commands of the group `state`, for a project that has a section `state`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.diagnostics import ClipformError, UsageError
from reconciler.project import project_name, shared_state
from reconciler.project.pending_repairs import settle_orphans
from reconciler.project.workspace import Workspace
from reconciler.state import lineage, shared, shared_schema
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


def set_cap(workspace: Workspace, per: str, currency: str, micros: int | None, project: str | None) -> None:
    """Set what a project may spend, a key of `budget.SPANS`; None removes the cap. `project` None: the one of this
    working copy; empty: all of them together."""
    with _connected(workspace) as sql, sql.transaction():
        shared_schema.require(sql)
        owner = sql.project if project is None else project
        values = {"owner": owner, "per": per, "currency": currency, "micros": micros}
        if micros is None:
            sql.execute("DELETE FROM cap WHERE project = :owner AND per = :per AND currency = :currency", values)
            return
        sql.execute(
            "INSERT INTO cap (project, per, currency, micros) VALUES (:owner, :per, :currency, :micros) "
            "ON CONFLICT (project, per, currency) DO UPDATE SET micros = excluded.micros",
            values,
        )


def caps(workspace: Workspace) -> list[Row]:
    """Return project (empty: all), span, currency and millionths of each cap."""
    with _connected(workspace) as sql:
        return sql.query("SELECT project, per, currency, micros FROM cap ORDER BY project, per, currency")


def relabel(workspace: Workspace, old: str, new: str) -> int:
    """Count as bought by the project `new` what `old` bought, with its caps: the smaller one stays. Returns how many
    requests that are. Raises UsageError for a project that the shared state does not know."""
    if old == new:
        raise UsageError(f"both names are '{old}'")
    with _connected(workspace) as sql, sql.transaction():
        ledger = shared.ledger(sql, workspace.clock.now)
        counts: dict[str, int] = dict(sql.query("SELECT project, count(*) FROM attempt GROUP BY project"))
        capped: dict[str, int] = dict(sql.query("SELECT project, count(*) FROM cap GROUP BY project"))
        if old not in counts.keys() | capped.keys():
            names = ", ".join(sorted(counts)) or "it has none yet"
            raise UsageError(f"the shared state knows no project '{old}'", help=f"its projects: {names}")
        ledger.relabel(old, new)
        if capped.get(old):
            values = {"old": old, "new": new}
            sql.execute(
                "INSERT INTO cap (project, per, currency, micros) SELECT :new, per, currency, micros FROM cap "
                "WHERE project = :old ON CONFLICT (project, per, currency) "
                "DO UPDATE SET micros = least(cap.micros, excluded.micros)",
                values,
            )
            sql.execute("DELETE FROM cap WHERE project = :old", values)
        return int(counts.get(old, 0))


def keys_of(workspace: Workspace, project: str) -> frozenset[str]:
    """Return the keys that a project bought, or asked for."""
    with _connected(workspace) as sql:
        return frozenset(
            key for (key,) in sql.query("SELECT DISTINCT key FROM attempt WHERE project = :name", {"name": project})
        )


def push(workspace: Workspace) -> Carried:
    """Carry the records of this working copy into the shared ones. From then on they are a mirror: nothing is bought
    by them. Raises StateError for records that mirror another shared state."""
    with _both(workspace, "state push") as (own, ledger):
        if own.joined is not None:
            require_mirror(own, ledger.id)
        carried = carry(own, ledger)
        lineage.acknowledge(ledger)
        own.join(ledger.id)
    return carried


def pull(workspace: Workspace) -> Carried:
    """Bring the records of this working copy up to date with the shared ones, which know all that its project bought.
    Raises StateError for records that are not a mirror: only a working copy that has bought nothing becomes one."""
    with _both(workspace, "state pull") as (own, ledger):
        lineage.require_whole(ledger.sql, own.mirrored)
        return mirror(ledger, own)


def detach(workspace: Workspace) -> Carried:
    """Bring the records up to date a last time, and make them the state of this working copy again."""
    with _both(workspace, "state detach") as (own, ledger):
        lineage.require_whole(ledger.sql, own.mirrored)
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
        if "project" not in workspace.load().project.state:
            project_name.fix(workspace.root, sql.project)
        yield own, ledger


def connect(workspace: Workspace) -> PostgreSQL:
    """Return the project's database, which nothing was asked of yet. Raises ClipformError for a project without one."""
    section = workspace.load().project.state
    if not section:
        help = "declare it in the project file:\nstate: {url: postgresql://db.example.com/clipform}"
        raise ClipformError("the project has no shared state", help=help, code="no-shared-state")
    return shared_state.connect(workspace.root, section)


@contextmanager
def _connected(workspace: Workspace) -> Iterator[PostgreSQL]:
    """Connect to the project's database. Raises ClipformError for a project without one."""
    sql = connect(workspace)
    try:
        yield sql
    finally:
        sql.close()
