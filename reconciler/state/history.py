"""The event log and its reducer: the only statements that change the tables.

Event types and what their payload holds:

    store            store (the id): the first event of every database
    run              command, by: an apply began; its number is the event's
    begun            the attempt's columns, `run` and `account`
    moved            from, to, money, task, cost_micros, reason, message, sha256, evidence
    looked           date: the provider's time of the first look for an uncertain attempt
    artifact         the artifact's columns             artifact-dropped  sha256 (and what was generated from it)
    generation       the generation's columns, note
    bound            the binding's columns              unbound           clip, take
    placed           the record's columns               unplaced          output
    plan-consumed    plan
    settled          server: the database server on which these records are known to be whole
    joined           shared (the id of the state that these records mirror from then on), seen (number and time of its
                     newest event)                      detached
    relabelled       old, new: what the one project bought counts as the other's (in a shared ledger)
    forgotten        key: its result is no longer known, so that it may be bought again
    counted          a line of the lock file whose cost no attempt has: key, take, sha256, rehearsal, task, cost
    note             what, and anything: a fact that changes no table (consent, a provider's warning)

An event is applied in the transaction that appends it; nothing else writes the tables. Writing tables and
log separately was rejected: the two drift apart unnoticed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import field

from reconciler.diagnostics import StateError
from reconciler.frozen import dataclass
from reconciler.records import Artifact, Attempt, Binding, Generation, Placed
from reconciler.state import rows, schema
from reconciler.state.rows import Payload
from reconciler.state.sql.port import NONE, Row, Sql, Statement, Values, damaged

Clock = Callable[[], float]
"""Returns UTC seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One event of the log. `clip` is empty and `attempt` None where the event is about neither."""

    seq: int
    time: float
    type: str
    clip: str = ""
    attempt: int | None = None
    payload: Payload = field(default_factory=dict)


Reducer = Callable[[Sql, LogEntry], list[Statement]]

_INSERT = """INSERT INTO event (time, type, clip, attempt, payload)
VALUES (:time, :type, :clip, :attempt, :payload) RETURNING seq"""


def append(sql: Sql, entry: LogEntry) -> LogEntry:
    """Append an event and apply it; return it with its number. `entry.seq` is ignored."""
    (((seq,),), *_) = sql.batch(*appended(sql, entry))
    return LogEntry(seq, entry.time, entry.type, entry.clip, entry.attempt, entry.payload)


def appended(sql: Sql, *entries: LogEntry) -> list[Statement]:
    """Return the statements that append events and apply them; the first one of each event returns its number."""
    statements = []
    for entry in entries:
        about = {"time": entry.time, "type": entry.type, "clip": entry.clip or None, "attempt": entry.attempt}
        statements.append(Statement(_INSERT, {**about, "payload": rows.dump(entry.payload)}))
        statements += applied(sql, entry)
    return statements


def applied(sql: Sql, entry: LogEntry) -> list[Statement]:
    """Return the statements that apply an event to the tables."""
    return _REDUCERS[entry.type](sql, entry)


def read(sql: Sql, tail: str, values: Values = NONE) -> list[LogEntry]:
    """Return events; `tail` is the end of the SQL statement."""
    return [_entry(row) for row in sql.query(f"SELECT {_COLUMNS} FROM event {tail}", values)]


_COLUMNS = "seq, time, type, clip, attempt, payload"


def _entry(row: Row) -> LogEntry:
    seq, time, kind, clip, attempt, text = row
    try:
        payload = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise damaged(f"event {seq} is not JSON") from error
    if not isinstance(payload, dict):
        raise damaged(f"event {seq} is not a JSON object")
    return LogEntry(seq, time, kind, clip or "", attempt, payload)


def _begun(sql: Sql, entry: LogEntry) -> list[Statement]:
    names = (*rows.COLUMNS[Attempt], "run", *(("account",) if sql.project else ()))
    marks = ", ".join(f":{name}" for name in names)
    values = {**_SINCE_FIRST, **rows.with_sound_cost(entry.payload)}
    return [Statement(f"INSERT INTO attempt ({', '.join(names)}) VALUES ({marks})", values)]


_SINCE_FIRST: Payload = {
    **{"endpoint": "", "expires_after": None, "looked": None, "protect": False, "account": "", "seen": "0 0.0"}
}
"""What later versions added: older events do not have it."""

_MOVE = """UPDATE attempt SET state = :to, updated = :time, money = :money, reason = :reason, message = :message,
  task = coalesce(:task, task), cost_micros = coalesce(:cost_micros, cost_micros), sha256 = coalesce(:sha256, sha256)
WHERE id = :attempt AND state = :from RETURNING id"""


def _moved(_: Sql, entry: LogEntry) -> list[Statement]:
    """Move an attempt by compare-and-set: StateError `state-moved` if it is no longer in the given state."""
    values = {key: value for key, value in rows.with_sound_cost(entry.payload).items() if key != "evidence"}
    moved = StateError(f"attempt {entry.attempt} is no longer {entry.payload['from']}", code="state-moved")
    return [Statement(_MOVE, {**values, "attempt": entry.attempt, "time": entry.time}, otherwise=moved)]


def _upsert(kind: type[rows.Record]) -> Reducer:
    statement = rows.upsert(kind)
    names = rows.COLUMNS[kind]

    def reduce(_: Sql, entry: LogEntry) -> list[Statement]:
        values = rows.with_sound_cost(entry.payload) if "cost_micros" in names else entry.payload
        return [Statement(statement, {name: {**_SINCE_FIRST, **values}[name] for name in names})]

    return reduce


def _execute(*statements: str) -> Reducer:
    def reduce(_: Sql, entry: LogEntry) -> list[Statement]:
        values = {**_SINCE_FIRST, **entry.payload, "time": entry.time, "attempt": entry.attempt}
        return [Statement(statement, values) for statement in statements]

    return reduce


def _counted(sql: Sql, entry: LogEntry) -> list[Statement]:
    line = entry.payload
    name, value = f"counted {line['rehearsal']:d} {line['key']}", f"{line['cost_micros']} {line['currency']}"
    return [
        Statement(f"DELETE FROM meta WHERE name = :name AND {sql.own}", {"name": name}),
        Statement("INSERT INTO meta (name, value) VALUES (:name, :value)", {"name": name, "value": value}),
    ]


def _sum(column: str) -> str:
    return f"{column} = least({schema.MOST}, ledger.{column}::numeric + excluded.{column})"


_REDUCERS: Mapping[str, Reducer] = {
    "store": _execute("INSERT INTO meta (name, value) VALUES ('store', :store)"),
    "run": _execute(),
    "note": _execute(),
    "begun": _begun,
    "moved": _moved,
    "looked": _execute("UPDATE attempt SET looked = :date WHERE id = :attempt AND looked IS NULL"),
    "artifact": _upsert(Artifact),
    "artifact-dropped": _execute(
        "DELETE FROM generation WHERE sha256 = :sha256", "DELETE FROM artifact WHERE sha256 = :sha256"
    ),
    "generation": _upsert(Generation),
    "bound": _upsert(Binding),
    "unbound": _execute("DELETE FROM binding WHERE clip = :clip AND take = :take"),
    "placed": _upsert(Placed),
    "unplaced": _execute("DELETE FROM placed WHERE output = :output"),
    "counted": _counted,
    "joined": _execute(
        "DELETE FROM meta WHERE name = 'joined'",
        "INSERT INTO meta (name, value) VALUES ('joined', :shared || ' ' || :time)",
        "DELETE FROM meta WHERE name = 'mirrored'",
        "INSERT INTO meta (name, value) VALUES ('mirrored', :seen)",
    ),
    "settled": _execute(
        "DELETE FROM meta WHERE name = 'server'", "INSERT INTO meta (name, value) VALUES ('server', :server)"
    ),
    "detached": _execute("DELETE FROM meta WHERE name IN ('joined', 'mirrored')"),
    "forgotten": _execute("DELETE FROM generation WHERE key = :key"),
    "relabelled": _execute(
        "UPDATE attempt SET project = :new WHERE project = :old",
        "UPDATE plan SET project = :new WHERE project = :old",
        "INSERT INTO ledger (project, run, currency, settled, reserved, clips) "
        "SELECT :new, run, currency, settled, reserved, clips FROM ledger WHERE project = :old "
        f"ON CONFLICT (project, run, currency) DO UPDATE SET {_sum('settled')}, {_sum('reserved')}, "
        "clips = ledger.clips + excluded.clips",
        "DELETE FROM ledger WHERE project = :old",
        "INSERT INTO meta (project, name, value) SELECT :new, name, value FROM meta "
        "WHERE project = :old AND name LIKE 'counted %' ON CONFLICT DO NOTHING",
        "DELETE FROM meta WHERE project = :old AND name LIKE 'counted %'",
    ),
    "plan-consumed": _execute("INSERT INTO plan (id, time) VALUES (:plan, :time)"),
}
