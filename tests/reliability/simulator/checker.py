"""The judge: compares the vendor's ledger, the database, the receipts, the store and the outputs; yields violations.

It shares no code with the program: it has its own SQL, its own hashes, and its own copy of the table of states.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, quote_plus

from tests.reliability.simulator.vendor import Server

_MOVES = """
submitting      not_sent refused uncertain accepted
uncertain       accepted not_sent abandoned
accepted        stalled ready no_output failed vanished cancelled
stalled         accepted ready no_output failed vanished cancelled abandoned
failed          abandoned accepted
ready           fetched result_expired quarantined
fetched         done accepted
done            accepted
cancelled       accepted
abandoned       accepted
vanished        abandoned
no_output       abandoned
result_expired  abandoned
quarantined     abandoned
"""
MOVES = {line.split()[0]: set(line.split()[1:]) for line in _MOVES.strip().splitlines()}
_IN_DOUBT = ("submitting", "uncertain", "abandoned")
_ASKED = ("uncertain", "abandoned", "vanished", "no_output", "result_expired", "quarantined")
"""A person was asked: nothing goes on by itself, though the vendor may have recovered."""


class World:
    """What one look at a project finds. The database is read from a copy: reading may roll back a dead writer."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = root / "state"
        self.tables: dict[str, list[dict[str, object]]] = {}
        self.log: list[dict[str, object]] = []
        self.receipts = list(_receipts(self.state / "receipts"))
        self.lock = _lock(root / "clipform.lock")
        self.damaged = False
        database = self.state / "clipform.db"
        if database.exists():
            with tempfile.TemporaryDirectory(dir=root.parent) as copy:
                for name in ("clipform.db", "clipform.db-journal"):
                    if (self.state / name).exists():
                        shutil.copyfile(self.state / name, Path(copy) / name)
                try:
                    with closing(sqlite3.connect(Path(copy) / "clipform.db")) as connection:
                        self._read(connection)
                except sqlite3.DatabaseError:  # damaged: it says nothing, and the receipts speak for it
                    self.damaged, self.tables, self.log = True, {}, []

    def _read(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        for name in ("attempt", "artifact", "generation", "placed", "binding", "ledger"):
            rows = connection.execute(f"SELECT * FROM {name}") if name in names else ()
            self.tables[name] = [dict(row) for row in rows]
        if "event" in names:
            self.log = [dict(row) for row in connection.execute("SELECT * FROM event ORDER BY seq")]

    def rows(self, table: str) -> list[dict[str, object]]:
        """The rows of a table, none when there is no database yet."""
        return self.tables.get(table, [])

    def objects(self) -> dict[str, str]:
        """Name to real hash of every object."""
        found = self.state.glob("objects/[0-9a-f][0-9a-f]/*")
        return {path.name: _hash(path) for path in sorted(found)}


def _receipts(path: Path) -> Iterator[Mapping[str, object]]:
    for line in path.read_bytes().rstrip(b"\0").split(b"\n") if path.exists() else ():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _lock(path: Path) -> list[dict[str, object]]:
    lines = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return [line for line in lines.values() if isinstance(line, dict)]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def safety(
    world: World,
    server: Server,
    outputs: Mapping[str, Collection[str]],
    consents: Mapping[object, int] | None = None,
    *,
    unmerged: bool = False,
) -> list[str]:
    """What must hold at every instant. `outputs`: the hashes that each output may have, beside being absent.

    `consents` are the user's own, by key, where the log that has them may have been lost; else the log's are taken.
    `unmerged`: the database was lost or is an old one, and no run has begun since: the receipts speak for it.
    """
    return [
        *_paid_once(world, server, consents),
        *_not_forgotten(world, server, unmerged=unmerged),
        *_whole_files(world, outputs),
        *_no_dangling(world),
        *_along_the_table(world),
        *_replayed(world),
        *_books(world),
        *_told(world, server),
    ]


def _paid_once(world: World, server: Server, given: Mapping[object, int] | None) -> Iterator[str]:
    notes = [json.loads(str(entry["payload"])) for entry in world.log if entry["type"] == "note"]
    logged = Counter(note.get("key") for note in notes if note["what"] == "resolve --resubmit")
    consents = Counter(logged if given is None else given)
    for key, tasks in server.by_key().items():
        # A failure that the vendor reported closes a purchase; the next apply is a new one by the user's command.
        closed = sum(1 for task in tasks if task.over)
        if len(tasks) > 1 + consents[key] + closed:
            yield f"I1: {len(tasks)} tasks were bought for {key[:12]}: {[task.id for task in tasks]}"


def _not_forgotten(world: World, server: Server, *, unmerged: bool) -> Iterator[str]:
    records = (*world.rows("attempt"), *world.rows("generation"), *world.receipts, *world.lock)
    ids = {record.get("task") for record in records}
    doubts = {row["marker"] for row in world.rows("attempt") if row["state"] in _IN_DOUBT}
    if unmerged or world.damaged:
        doubts |= {line.get("marker") for line in world.receipts if line.get("event") == "intent"}
    for task in server.ledger.values():
        if task.id not in ids and task.marker not in doubts:
            yield f"I2: {task.id} of {task.label} was bought and is nowhere on record"


def _whole_files(world: World, outputs: Mapping[str, Collection[str]]) -> Iterator[str]:
    for output, allowed in outputs.items():
        path = world.root / output
        if path.exists() and _hash(path) not in allowed:
            yield f"I4: {output} holds {path.stat().st_size} bytes that nobody made"


def _no_dangling(world: World) -> Iterator[str]:
    objects = world.objects()
    for name, real in objects.items():
        if not name.startswith(real):
            yield f"I5: object {name[:12]} is damaged"
    whole = {name.partition(".")[0] for name in objects}
    for table in ("artifact", "generation", "attempt"):
        for row in world.rows(table):
            if table == "attempt" and row["state"] == "done":
                continue  # history: what held it may be gone, and then gc deletes it
            if row["sha256"] is not None and row["sha256"] not in whole:
                yield f"I5: a row of {table} names {str(row['sha256'])[:12]}, which is not in the store"


def _along_the_table(world: World) -> Iterator[str]:
    stands: dict[object, str] = {}
    for entry in world.log:
        payload = json.loads(str(entry["payload"]))
        if entry["type"] == "begun":
            stands[entry["attempt"]] = "submitting"
        elif entry["type"] == "moved":
            old, new = payload["from"], payload["to"]
            if stands.get(entry["attempt"]) != old or new not in MOVES.get(old, set()):
                yield f"I12: attempt {entry['attempt']} went from {stands.get(entry['attempt'])} ({old}) to {new}"
            stands[entry["attempt"]] = new
    for row in world.rows("attempt"):
        if stands.get(row["id"]) != row["state"]:
            yield f"I20: attempt {row['id']} is {row['state']}, the log says {stands.get(row['id'])}"


_KEPT = ("task", "cost_micros", "sha256")  # a move that says nothing of these leaves them


def _replayed(world: World) -> Iterator[str]:
    """I20: what the log says of each attempt is what the table says, its money above all."""
    found: dict[object, dict[str, object]] = {}
    for entry in world.log:
        payload = json.loads(str(entry["payload"]))
        if entry["type"] == "begun":
            found[entry["attempt"]] = {name: payload[name] for name in ("key", "marker", "money", *_KEPT)}
        elif entry["type"] == "moved":
            told = {name: payload[name] for name in _KEPT if payload.get(name) is not None}
            found.setdefault(entry["attempt"], {}).update(told, money=payload["money"])
    for gone in found.keys() - {row["id"] for row in world.rows("attempt")}:
        yield f"I20: attempt {gone} stands in the log and not in the table"
    for row in world.rows("attempt"):
        for name, value in found.get(row["id"], {}).items():
            if row[name] != value:
                yield f"I20: attempt {row['id']} has {name} {row[name]!r}, the log says {value!r}"


def _books(world: World) -> Iterator[str]:
    """I6: the sums that caps are held against are those of the attempts; and no amount is a float."""
    sums: Counter[tuple[object, object, object]] = Counter()
    for row in world.rows("attempt"):
        if not isinstance(row["cost_micros"], int | None):
            yield f"I6: attempt {row['id']} costs {row['cost_micros']!r}"
        elif row["money"] != "released":
            sums[row["run"], row["currency"], row["money"]] += row["cost_micros"] or 0
    for row in world.rows("ledger"):
        for money in ("settled", "reserved"):
            if row[money] != sums[row["run"], row["currency"], money]:
                yield f"I6: the books say {row[money]} {money} in run {row['run']}, the attempts say otherwise"


def _told(world: World, server: Server) -> Iterator[str]:
    """I19: a result that is not what was asked for says so, and one that is does not."""
    served = {sha: (task, word) for task in server.ledger.values() for sha, word in server.videos(task.id).items()}
    for row in world.rows("generation"):
        task, word = served.get(str(row["sha256"]), (None, ""))
        if task is not None and row["origin"] == "generated" and bool(row["mismatch"]) != (word == "wrong"):
            yield f"I19: {task.id} came as {word}, and the record says {row['mismatch'] or 'nothing'!r}"


def forms(secret: str) -> set[bytes]:
    """Return the encodings of a secret."""
    plain = {secret, json.dumps(secret)[1:-1], quote(secret), quote(secret, safe=""), quote_plus(secret)}
    coded = {base64.b64encode(secret.encode()).decode().rstrip("="), secret.encode().hex()}
    return {text.encode() for text in plain | coded}


def leaks(secret: str, root: Path, said: str = "") -> Iterator[str]:
    """I7: no file below a folder holds it, and nothing that was told does."""
    wanted = forms(secret)
    for path in sorted(root.rglob("*")):
        if path.is_file() and any(form in path.read_bytes() for form in wanted):
            yield f"I7: the secret stands in {path.relative_to(root)}"
    if any(form in said.encode() for form in wanted):
        yield "I7: the secret was told"


def outside(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    """I8: pictures of what lies around the project are equal."""
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            yield f"I8: {path} changed, outside of the project"


def honest(before: bytes, after: bytes, *, refused: bool) -> Iterator[str]:
    """I18: a state of a newer version is refused and stays as it is, byte for byte."""
    if not refused:
        yield "I18: a newer state was not refused"
    if before != after:
        yield "I18: a newer state was changed"


def alone(acted: bool, told: bool) -> Iterator[str]:
    """I11: yield violations if the second of two concurrent runs did anything or was not informed."""
    if acted:
        yield "I11: two processes acted"
    if not told:
        yield "I11: the second one was not refused"


def within(world: World, cap_micros: int) -> Iterator[str]:
    """I6: what is settled or reserved never exceeds a cap, at any event of the log."""
    counted: dict[object, int] = {}
    for entry in world.log:
        payload = json.loads(str(entry["payload"]))
        if entry["type"] == "begun":
            counted[entry["attempt"]] = payload["cost_micros"]
        elif entry["type"] == "moved" and payload["money"] == "released":
            counted[entry["attempt"]] = 0
        if sum(counted.values()) > cap_micros:
            yield f"I6: {sum(counted.values())} of {cap_micros} at event {entry['seq']}"


def sacred(world: World, foreign: Mapping[str, str]) -> Iterator[str]:
    """I16: what the user put at an output is there, or was moved aside beside it."""
    for output, sha in foreign.items():
        path = world.root / output
        if sha not in {_hash(near) for near in path.parent.glob("*") if near.is_file()}:
            yield f"I16: what the user put at {output} is gone"


def owed(server: Server, cap_micros: int) -> Iterator[str]:
    """I6 by the vendor's own books: what it will charge, whatever the client counted."""
    total = sum(task.micros for task in server.ledger.values() if task.owed)
    if total > cap_micros:
        yield f"I6: {total} of {cap_micros} is owed"


def calm(world: World, server: Server, said: str = "", deleted: Collection[str] = ()) -> list[str]:
    """What must hold once faults have stopped and the program has run to rest. `said`: by its last run; `deleted`: the
    hashes of what the user had removed."""
    return [*_not_lost(world, server, said, deleted), *_tidy(world)]


def _not_lost(world: World, server: Server, said: str, deleted: Collection[str]) -> Iterator[str]:
    objects = world.objects()
    asked = {row["marker"] for row in world.rows("attempt") if row["state"] in _ASKED}
    results = {(row["key"], row["sha256"]) for row in (*world.rows("generation"), *world.lock)}
    for task in server.ledger.values():
        if task.deleted:
            yield f"I3: {task.id} was finished, and the program had it deleted"
        if task.over or task.marker in asked or f"task {task.id} " in said or server.sound(task.id) & set(deleted):
            continue
        home = {sha for sha in server.sound(task.id) if f"{sha}.mp4" in objects and (task.key, sha) in results}
        if not home:
            yield f"I3: the result of {task.id} ({task.label}) is served and was not brought home"


def _tidy(world: World) -> Iterator[str]:
    for path in sorted(world.root.rglob("*")):
        if path.name.endswith(".part") or path.parent.name == "scratch":
            yield f"a dead process left {path.relative_to(world.root)}"


def picture(root: Path) -> dict[str, object]:
    """Everything of a project but times of access: equal pictures mean that nothing was written (I10)."""
    found: dict[str, object] = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.name != "lock":
            status = path.stat()
            found[str(path.relative_to(root))] = (status.st_size, status.st_mtime_ns, status.st_ino)
    return found
