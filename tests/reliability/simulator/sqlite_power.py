"""SQLite under power loss: a disk in memory behind an APSW VFS, cut after every write, sync and deletion.

The program's own `Store` runs on it, with its PRAGMAs, schema, triggers and statements; APSW brings a SQLite of its own
(`vfs`). One run records every file operation of SQLite and every acknowledged commit between them. Then, for each cut k
= 1, 2, … and by seed, the disk holds what was synced, and of every later write nothing, some sectors, all or garbage.
The store that opens on it must have every acknowledged commit, pass SQLite's `quick_check`, and agree with its own log.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from reconciler.diagnostics import StateError
from reconciler.records import Artifact, Binding, Generation, Placed, State
from reconciler.state import disk, new_database, open
from reconciler.state.budget import Caps, NewAttempt
from reconciler.state.ledger import Facts
from reconciler.state.sql import sqlite
from reconciler.state.store import Store
from tests.reliability.figures import Tally
from tests.reliability.simulator.vfs import Adapter, Disk, Op, Platter, cut
from tests.state.replay import rebuild

DATABASE = "clipform.db"
T = TypeVar("T")

# --- what is played ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Variant:
    """How the store is opened: as in production, or in a way that is known to be wrong."""

    first: str = ""  # said before anything is read
    pragmas: tuple[str, ...] = ()
    meddle: Callable[[dict[str, bytearray]], object] = lambda files: None  # what somebody does to the files after a cut


_ALONE = "locking_mode=EXCLUSIVE"  # WAL without shared memory
PRODUCTION = Variant()
PLANTED: Mapping[str, Variant] = {
    "WAL with synchronous=NORMAL": Variant(_ALONE, ("journal_mode=WAL", "synchronous=NORMAL")),
    "synchronous=OFF": Variant(pragmas=("synchronous=OFF",)),
    "the journal deleted after the cut": Variant(meddle=lambda files: files.pop(f"{DATABASE}-journal", None)),
}
WAL_FULL = Variant(_ALONE, ("journal_mode=WAL", "synchronous=FULL"))
"""What would do as well, where SQLite has no race in it: it must hold too."""
SOUND: Mapping[str, Variant] = {"production": PRODUCTION, "WAL with synchronous=FULL": WAL_FULL}

_vfs: list[Disk] = []


def _disk() -> Disk:
    if not _vfs:
        _vfs.append(Disk("cut"))
    return _vfs[0]


def production_schema() -> tuple[str, ...]:
    """Every statement that makes the schema, as production runs them."""
    found: list[str] = []
    memory = sqlite3.connect(":memory:", isolation_level=None)
    memory.set_trace_callback(found.append)
    new_database.create(memory)
    memory.close()
    return tuple(text for text in found if not text.upper().startswith(("SELECT", "BEGIN", "COMMIT")))


@contextmanager
def on_platter(platter: Platter, variant: Variant) -> Iterator[None]:
    """The program's `Store.open` opens the platter."""
    _disk().platter = platter
    schema = production_schema()

    def connect(path: Path, mode: str) -> Any:
        with sqlite.translated():
            opened = Adapter(f"/{path.name}", "cut")
            opened.execute(f"PRAGMA busy_timeout={sqlite.BUSY_MS}")
            if variant.first:
                opened.execute(f"PRAGMA {variant.first}")
            return opened

    real = sqlite.configure

    def configure(opened: Any) -> None:
        real(opened)
        for text in variant.pragmas:
            opened.execute(f"PRAGMA {text}")

    def migrate(opened: Any, path: Path, version: int) -> None:
        with sqlite.immediate(opened):
            for statement in schema:
                opened.execute(statement)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "connect", connect)
        patch.setattr(sqlite, "configure", configure)
        patch.setattr(open, "_migrate", migrate)
        patch.setattr(disk, "make_directories", lambda path: None)
        yield


def purchases(store: Store, acknowledged: Callable[[], None]) -> None:
    """Two clips are bought, made and placed, one is refused, one given up: every sort of write of a purchase."""

    def done(value: T) -> T:
        acknowledged()
        return value

    run = done(store.start_run("apply"))
    caps = Caps("USD", total_micros=5_000_000)
    for number, clip in enumerate(("hero", "intro")):
        sha = f"{number:x}" * 64
        new = _order(clip, number, run)
        attempt = done(store.begin(new, caps))
        attempt = done(store.move(attempt, State.ACCEPTED, Facts(task=f"task-{number}")))
        artifact = Artifact(sha, 1000 + number, ".mp4", 5000, 1280, 720, True)
        by = new.provenance(task=f"task-{number}", seed=1)
        made = Generation(new.key, sha, "{}" * 300, **by, created=1.0, elapsed=2.0)
        with store.transaction():
            attempt = store.fetched(store.move(attempt, State.READY), artifact, made)
        done(None)
        with store.transaction():
            store.desk.record_placed(Placed(f"renders/{clip}.mp4", sha, 1000, 1, 2), clip)
            store.move(attempt, State.DONE)
            store.desk.bind(Binding(clip, 1, new.key, f"renders/{clip}.mp4", "{}"))
        done(None)
    refused = done(store.begin(_order("no", 2, run), caps))
    done(store.move(refused, State.REFUSED, Facts(reason="input")))
    doubt = done(store.begin(_order("doubt", 3, run), caps))
    doubt = done(store.move(doubt, State.UNCERTAIN))
    done(store.move(doubt, State.ABANDONED, Facts(reason="abandoned")))
    done(store.drop_artifact("0" * 64))


def _order(clip: str, number: int, run: int) -> NewAttempt:
    of = {"key": f"v1:{number:064x}", "clip": clip, "take": 1, "provider": "studio", "kind": "ark", "model": "m"}
    return NewAttempt(f"marker-{number}", "{}" * 300, run, **of, seed=7, cost_micros=500_000, currency="USD")  # type: ignore[arg-type]


def _sequence(store: Store) -> int:
    return int(store.sql.connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0])


def record(variant: Variant) -> list[Op]:
    """All that SQLite does to its files while a new store is made and purchases are written down."""
    platter = Platter()
    with on_platter(platter, variant), Store.open(Path("/"), lambda: 1.0) as store:
        platter.log.append(Op("ack", number=_sequence(store)))
        purchases(store, lambda: platter.log.append(Op("ack", number=_sequence(store))))
    return platter.log


def reboot(log: Sequence[Op], variant: Variant, chance: random.Random | None) -> tuple[list[str], list[Op]]:
    """Cut after these operations, open the store again, and say what is broken; with all that the reopening did."""
    files = cut(log, chance)
    variant.meddle(files)
    promised = max((op.number for op in log if op.what == "ack"), default=0)
    platter = Platter(files)
    platter.log.append(Op("ack", number=promised))
    try:
        with on_platter(platter, variant), Store.open(Path("/"), lambda: 1.0) as store:
            found = list(_judge(store, promised))
    except StateError as error:
        found = [f"damaged: {error.message}"]
    return found, platter.log


def _judge(store: Store, promised: int) -> Iterator[str]:
    answers = store.sql.connection.execute("PRAGMA quick_check").fetchall()
    if answers != [("ok",)]:
        yield f"damaged: {answers[0][0]}"
    if (last := _sequence(store)) < promised:
        yield f"lost: event {promised} was acknowledged, the newest is {last}"
    rows = _rows(store)
    rebuild(store)
    if _rows(store) != rows:
        yield "torn: the log does not give the tables"


def _rows(store: Store) -> list[str]:
    tables = ("attempt", "artifact", "generation", "binding", "placed", "plan", "meta", "ledger")
    select = store.sql.connection.execute
    return [f"{table} {row}" for table in tables for row in sorted(map(tuple, select(f"SELECT * FROM {table}")))]


def cuts(tally: Tally, name: str, seeds: range, stride: int = 1, first: int = 1) -> None:
    """(l) A cut after every operation, with the worst luck and by seed, and another cut in the recovery from it."""
    variant = SOUND[name]
    log = record(variant)
    for k in range(1 + first % stride, len(log) + 1, stride):
        if log[k - 1].what == "ack":
            continue
        for seed in (None, *seeds):
            chance = None if seed is None else random.Random(seed * 10_000 + k)
            found, again = reboot(log[:k], variant, chance)
            _count(tally, found, f"{name}, cut at {k} of {len(log)}, seed {seed}")
            if seed is not None and k % 5 == seed % 5:
                end = random.Random(k).randrange(len(again) + 1)
                twice, _ = reboot(again[:end], variant, chance) if end > _given(again) else ([], [])
                _count(tally, twice, f"{name}, cut at {k}, seed {seed}, and at {end} of its recovery")


def _given(log: Sequence[Op]) -> int:
    """How many operations say what was there before the recovery began."""
    return next(i for i, op in enumerate(log) if op.what == "ack") + 1


def _count(tally: Tally, found: Sequence[str], story: str) -> None:
    tally.scenarios["l · SQLite's own power cuts"] += 1
    tally.injected += 1
    tally.itself += not found
    tally.broken += [f"I2: {text} [l · SQLite: {story}]" for text in found]


def caught(variant: Variant, seeds: range = range(2)) -> str | None:
    """The first finding that a variant known to be wrong leads to."""
    log = record(variant)
    for k in range(1, len(log) + 1):
        for seed in (None, *seeds):
            chance = None if seed is None else random.Random(seed * 10_000 + k)
            found, _ = reboot(log[:k], variant, chance)
            if found:
                return f"{found[0]} (cut at {k}, seed {seed})"
    return None
