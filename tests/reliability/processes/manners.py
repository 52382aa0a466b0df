"""Real-process checks of three promises: a busy vendor is left alone (I14); a newer state is not changed and an older
one is backed up (I18); a clip that differs from the request is kept, flagged and not bought again (I19).

For I14 the process runs `HURRY` times as fast as real time, so that a pause of half a minute takes a second; the proxy
between it and its vendor records when it asked.
"""

from __future__ import annotations

import itertools
import signal
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.state import schema
from tests.reliability.figures import Tally
from tests.reliability.processes.proxy import Request, between
from tests.reliability.processes.real_project import CLIPS, ONE, Box, vendor
from tests.reliability.processes.realkills import APPLY, STORIES, Stage, stage
from tests.reliability.simulator import checker

HURRY = 20
ON_THE_WAY = 0.1
"""Seconds of the world in which a request may arrive that was sent before the "busy" was read."""
TRIES = 6
"""How often a submit that was surely refused is made anew in one run."""
SCHEMAS = sorted((Path(__file__).parents[2] / "state" / "schemas").glob("v*.sql"))
_numbers = itertools.count(70_000)


@dataclass(frozen=True)
class Busy:
    """What a vendor says, and for how many seconds it must then be left alone. `ends`: how the run ends."""

    rules: tuple[Mapping[str, Any], ...]
    wait: float
    ends: int = 0


def _busy(phase: str, hint: str | None = None, **when: Any) -> Mapping[str, Any]:
    more = {"in_body": True} if when.pop("in_body", False) else {}
    return {"when": {"phase": phase, **when}, "do": "busy", **({"retry_after": hint} if hint else {}), **more}


BUSY = {
    "seconds": Busy((_busy("submit", "12", nth=1),), 12),
    "a date": Busy((_busy("submit", "date+9", nth=1),), 8),
    "in the body": Busy((_busy("submit", "12", nth=1, in_body=True),), 12),
    "no hint": Busy((_busy("submit", nth=[1, 2]),), 1),
    "less than nothing": Busy((_busy("submit", "-1", nth=1),), 1),
    "a poll": Busy((_busy("poll", "12", nth=2),), 12),
    "submits and polls": Busy((_busy("submit", "6", nth=2), _busy("poll", "8", every=3)), 6),
    "for ever": Busy((_busy("submit", every=1),), 1, ends=3),
    "until the year 9999": Busy((_busy("submit", "Fri, 31 Dec 9999 23:59:59 GMT", nth=1),), 86_400, ends=3),
    "more than a number": Busy((_busy("submit", "1e309", nth=1),), 1),
}


def polite(tally: Tally, played: Stage, name: str, kind: str) -> None:
    """An apply of two clips at a vendor that is busy: left alone for as long as it wants, asked a bounded number of
    times, and what it took is paid for once."""
    case, number = BUSY[name], next(_numbers)
    folder = played.folder / f"busy-{number}"
    with vendor(folder / "vendor", faults=case.rules) as running, between(running) as place:
        box = Box(folder / "box", running, kind, number, CLIPS, base=place.api)
        process = box.run(played.starter, *APPLY, hurry=HURRY)
        found = [*_hurried(place.log, case.wait), *box.at_once()]
        if process.status != case.ends:
            found.append(f"I14: it ended with {process.status}: {process.said()[-400:]}")
        if len(place.submits()) > TRIES * len(CLIPS):
            found.append(f"I14: {len(place.submits())} submits for {len(CLIPS)} clips")
        if case.ends and box.entries():
            found.append("I1: something was bought of a vendor that refused all")
        if not case.ends:
            found += box.at_rest()
    _note(tally, "r6 · a vendor that is busy", f"{name} at {kind}", found)


def _hurried(log: list[Request], wait: float) -> Iterator[str]:
    """Requests that came before the pause was over."""
    for refused in (request for request in log if request.status == 429):
        until = refused.answered + wait / HURRY
        early = [request for request in log if refused.answered + ON_THE_WAY < request.at < until]
        if early:
            after = (early[0].at - refused.answered) * HURRY
            yield f"I14: {early[0].method} {after:.1f} s after it was told to wait for {wait:g} s"
    if not any(request.status == 429 for request in log):
        yield "harness: the vendor was not busy"


# --- versions -------------------------------------------------------------------------------

COMMANDS = (
    APPLY, ("plan",), ("status",), ("show", "hero"), ("history",), ("gc", "--yes"), ("verify",), ("recover",),
    ("destroy", "--yes"), ("resolve", "hero", "--resubmit", "--yes"), ("cancel", "hero"),
    ("import", "hero", "--task", "task-1"), ("plan", "--out", "saved.plan"),
)  # fmt: skip


def newer(tally: Tally, played: Stage, command: tuple[str, ...]) -> None:
    """A state of a program that is not written yet: refused by name, and byte for byte as it was."""
    box = played.boxes(STORIES["retake"])()  # bought
    with closing(sqlite3.connect(box.root / "state" / "clipform.db")) as database:
        database.execute(f"PRAGMA user_version={schema.VERSION + 1}")
    before, bought = _bytes(box.root), len(box.entries())
    process = box.run(played.starter, *command)
    found = []
    if process.status != 1 or f"schema {schema.VERSION + 1}" not in process.said():
        found.append(f"I18: {process.status}, {process.said()[-300:]}")
    if _bytes(box.root) != before:
        found.append("I18: a newer state was changed")
    if len(box.entries()) != bought:
        found.append("I18: something was bought")
    _note(tally, "r7 · states of other versions", f"newer, {' '.join(command)}", found)


def _bytes(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file() and path.name != "lock"}


def older(tally: Tally, played: Stage, dump: Path, first: int = 1, stride: int = 1, most: int = 40) -> None:
    """A state that an older program wrote, brought up to date by an apply that is killed at a point, and by the next
    one: a copy is kept, and what it remembers is remembered."""
    for k in range(first, most, stride):
        box = played.boxes(STORIES["one"], anew=True)()
        (box.root / "state").mkdir()
        with closing(sqlite3.connect(box.root / "state" / "clipform.db")) as database:
            database.executescript(dump.read_text(encoding="utf-8"))
        known = _known(box)
        killed = box.run(played.starter, *APPLY, at=k).status == -signal.SIGKILL
        box.run(played.starter, *APPLY)
        found = [] if known <= _known(box) else [f"I18: {known - _known(box)} is forgotten"]
        with closing(sqlite3.connect(box.root / "state" / "clipform.db")) as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
        copy = box.root / "state" / f"clipform.db.{dump.stem}"
        if version != schema.VERSION or not copy.exists():
            found.append(f"I18: version {version}, copy {copy.exists()}")
        found += [text for text in box.at_once() if not text.startswith("I5")]  # the dump's objects are not here
        _note(tally, "r7 · states of other versions", f"{dump.stem}, SIGKILL at {k}", found)
        if not killed:
            break


def _known(box: Box) -> set[tuple[object, ...]]:
    return {(row["key"], row["task"]) for row in checker.World(box.root).rows("attempt")}


# --- another clip than was asked for --------------------------------------------------------

WRONG: dict[str, tuple[Mapping[str, Any], Mapping[str, Any], str]] = {
    # what the vendor makes instead · what was asked for beside the usual · what the user is told
    "length": ({"duration": 10}, {}, "asked for 5 s"),
    "size": ({"resolution": "480p"}, {"resolution": "720p"}, "asked for 720p"),
    "ratio": ({"ratio": "9:16"}, {}, "asked for 16:9"),
    "sound": ({"audio": False}, {"audio": True}, "asked for audio"),
}


def wrong(tally: Tally, played: Stage, name: str, kind: str) -> None:
    """Another clip than was paid for: kept, flagged, shown, and not bought again by itself."""
    instead, asked, words = WRONG[name]
    number = next(_numbers)
    folder = played.folder / f"wrong-{number}"
    rules = [{"when": {"phase": "submit"}, "do": "wrong_clip", **instead}]
    with vendor(folder / "vendor", faults=rules) as running:
        box = Box(folder / "box", running, kind, number, {"hero": {**ONE["hero"], **asked}})
        told = box.run(played.starter, *APPLY)
        found = [] if words in told.said() else [f"I19: the user is not told: {told.said()[-400:]}"]
        for _ in range(2):
            box.run(played.starter, *APPLY)
        flags = [str(row["mismatch"]) for row in checker.World(box.root).rows("generation")]
        if len(flags) != 1 or words not in flags[0]:
            found.append(f"I19: on record it is {flags}")
        if words not in box.run(played.starter, "show", "hero").said():
            found.append("I19: show does not tell")
        if box.outputs() != ["hero"] or len(box.entries()) != 1:
            found.append(f"I19: {box.outputs()}, bought {len(box.entries())} times")
        found += [*box.at_once(), *box.at_rest()]
    _note(tally, "r8 · another clip than was asked for", f"{name} at {kind}", found)


def _note(tally: Tally, sweep: str, title: str, found: list[str]) -> None:
    tally.scenarios[sweep] += 1
    tally.injected += 1
    tally.itself += not found
    tally.broken += [f"{text} [{sweep}: {title}]" for text in dict.fromkeys(found)]


def versions(tally: Tally, dump: Path, stride: int, most: int) -> None:
    """One older version, at every so many-th point."""
    with stage() as played:
        older(tally, played, dump, 1, stride, most)


def manners(tally: Tally, long: bool) -> None:
    """All of it but older versions; the short form has one vendor for each."""
    with stage() as played:
        for number, name in enumerate(BUSY):
            for kind in ("ark", "uniall") if long else (("ark", "uniall")[number % 2],):
                polite(tally, played, name, kind)
        for command in COMMANDS:
            newer(tally, played, command)
        for name in WRONG:
            for kind in ("ark", "uniall") if long else ("ark",):
                wrong(tally, played, name, kind)
