"""The schema, step by step, by sqlite-utils. Importing it takes 0.4 s: done only for an older database.
`new_database` has the result of all steps for a new one.

All pending steps, and the `user_version` that says so, are one transaction: a crash at any statement leaves the old
schema or the new one. sqlite-utils on its own would begin a *deferred* transaction per step; inside ours its steps
become savepoints. Before an existing database is changed it is copied by SQLite's backup API.

The columns of the tables are the fields of the records of the same name (`records.py`). Besides:

    event    seq, time (UTC seconds), type, clip, attempt, payload (JSON): append-only, the truth
    attempt  run: number of the event of the apply that began it, 0 when unknown
    ledger   sums of each run and currency in millionths, kept by triggers; clips: attempts that cost money
    plan     ids of saved plans that were applied: each works once
    meta     store: the random id of this store; `counted REHEARSAL KEY`: a purchase that only the lock file had
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database, Migrations

from reconciler.state import schema
from reconciler.state.sql import sqlite

migrations = Migrations("clipform")


@migrations()
def first(db: Database) -> None:
    """Version 1."""
    _event(db)
    _attempt(db)
    _results(db)
    _outputs(db)
    _books(db)
    for rule in schema.rules():
        db.execute(rule.replace("provider, endpoint, task", "provider, task"))  # version 2 adds the endpoint


@migrations()
def second(db: Database) -> None:
    """Version 2: the endpoint of an attempt. Older ones were sent to wherever their provider's alias pointed."""
    db.table("attempt").add_column("endpoint", str, not_null_default="")


@migrations()
def third(db: Database) -> None:
    """Version 3: a task without a result may be polled again."""
    for statement in schema.replace_moves():
        db.execute(statement)


@migrations()
def fourth(db: Database) -> None:
    """Version 4: the number by which a lost task is recognised, and when it was first looked for; sound amounts;
    the task of an attempt that is over may be looked at again."""
    db.table("attempt").add_column("expires_after", int)
    db.table("attempt").add_column("looked", float)
    for statement in (*schema.replace_books(), *schema.replace_moves(), *schema.replace_task_once()):
        db.execute(statement)


@migrations()
def fifth(db: Database) -> None:
    """Version 5: whether a clip was protected when it was bound."""
    db.table("binding").add_column("protect", int, not_null_default=0)


@migrations()
def sixth(db: Database) -> None:
    """Version 6: indexes for what a run asks with each clip."""
    for statement in schema.indexes():
        db.execute(statement)


def migrate(database: sqlite3.Connection, steps: Migrations = migrations, version: int = schema.VERSION) -> None:
    """Bring a database to `version`. Two processes may try at once: the second has nothing to do."""
    db = Database(database, execute_plugins=False)
    with sqlite.immediate(database):
        steps.apply(db)
        database.execute(f"PRAGMA application_id={schema.APPLICATION_ID}")
        database.execute(f"PRAGMA user_version={version}")


def backup(database: sqlite3.Connection, path: Path) -> Path:
    """Copy the database beside itself as `clipform.db.v<version>`, through SQLite: no one else may open the file."""
    target = path.with_name(f"{path.name}.v{sqlite.pragma(database, 'user_version')}")
    with closing(sqlite.connect(target, "rwc")) as copy, sqlite.translated():
        copy.execute("PRAGMA synchronous=EXTRA")
        database.backup(copy)
    return target


def _event(db: Database) -> None:
    columns = {"seq": int, "time": float, "type": str, "clip": str, "attempt": int, "payload": str}
    event = db.table("event").create(columns, pk="seq", not_null={"time", "type", "payload"}, strict=True)
    event.create_index(["clip"])


def _attempt(db: Database) -> None:
    texts = ("key", "clip", "provider", "kind", "model", "state", "marker", "money", "currency", "reason", "message")
    columns = {
        **{"id": int, "key": str, "clip": str, "take": int, "provider": str, "kind": str, "model": str, "state": str},
        **{"marker": str, "created": float, "updated": float, "task": str, "seed": int, "money": str},
        **{"cost_micros": int, "currency": str, "reason": str, "message": str, "sha256": str, "document": str},
        "run": int,
    }
    required = {*texts, "take", "created", "updated", "document", "run"}
    attempt = db.table("attempt").create(columns, pk="id", not_null=required, strict=True)
    attempt.create_index(["marker"], unique=True)
    attempt.create_index(["key"])


def _results(db: Database) -> None:
    columns = {"sha256": str, "size": int, "suffix": str, "duration_ms": int, "width": int, "height": int, "audio": int}
    db.table("artifact").create(columns, pk="sha256", not_null=columns, strict=True)
    columns = {
        **{"key": str, "sha256": str, "document": str, "provider": str, "kind": str, "model": str, "task": str},
        **{"seed": int, "cost_micros": int, "currency": str, "created": float, "elapsed": float},
        **{"mismatch": str, "origin": str},
    }
    required = set(columns) - {"task", "seed", "cost_micros"}
    artifact = [("sha256", "artifact", "sha256")]  # a generation never names an artifact that is not recorded
    generation = db.table("generation").create(columns, pk="key", not_null=required, foreign_keys=artifact, strict=True)
    generation.create_index(["sha256"])


def _outputs(db: Database) -> None:
    columns = {"clip": str, "take": int, "key": str, "output": str, "document": str}
    db.table("binding").create(columns, pk=("clip", "take"), not_null={"key", "document"}, strict=True)
    columns = {"output": str, "sha256": str, "size": int, "mtime_ns": int, "inode": int}
    db.table("placed").create(columns, pk="output", not_null=columns, strict=True)


def _books(db: Database) -> None:
    columns = {"run": int, "currency": str, "settled": int, "reserved": int, "clips": int}
    sums = {"settled": 0, "reserved": 0, "clips": 0}
    db.table("ledger").create(columns, pk=("run", "currency"), not_null=columns, defaults=sums, strict=True)
    db.table("plan").create({"id": str, "time": float}, pk="id", not_null={"time"}, strict=True)
    db.table("meta").create({"name": str, "value": str}, pk="name", not_null={"value"}, strict=True)
