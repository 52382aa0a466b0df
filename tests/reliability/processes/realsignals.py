"""Signals at points and during a submit, and two applies at once: real processes, signals and locks."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.reliability.figures import Tally
from tests.reliability.processes.launch import Hung, Launcher, Process
from tests.reliability.processes.proxy import Between, between
from tests.reliability.processes.real_project import LISTS, ONE, Box
from tests.reliability.processes.realkills import APPLY, MOST, STORIES, Stage, stage
from tests.reliability.simulator import checker

SWEEP = "r2 · signals"
INTERRUPTED = 130
LOCKED = 5
WAITS = " s for 1 open request to be recorded"


@contextmanager
def held(played: Stage, kind: str, number: int) -> Iterator[tuple[Box, Between]]:
    """A project whose vendor's next "yes" to a submit is held back."""
    running = played.vendor(0.05)
    with between(running) as place:
        place.hold = 1
        yield Box(played.folder / f"held-{number}", running, kind, 10_000 + number, ONE, base=place.api), place


def _drained(box: Box, place: Between, process: Process) -> Iterator[str]:
    """Asked once to stop: it waits for the answer, records it, and ends as interrupted.

    The answer comes after the word that it is waited for: the signal and an answer that are there together are taken
    in either order, and an answer that is heard first is waited for no more."""
    process.until_said(WAITS)
    place.release()
    if process.wait() != INTERRUPTED:
        yield f"I17: an interrupted run ended with {process.status}"
    states = [row["state"] for row in checker.World(box.root).rows("attempt")]
    if states != ["accepted"]:
        yield f"I17: the open submit was not recorded: {states}"
    if WAITS not in process.said():
        yield f"the wait was not told: {process.said()}"


def _left(box: Box, place: Between, process: Process) -> Iterator[str]:
    """Ended at once: the answer is never read."""
    process.wait()
    place.release()
    if process.status not in (INTERRUPTED, -signal.SIGKILL):
        yield f"I17: it ended with {process.status}"
    if process.status == INTERRUPTED:
        yield from _last_word(process)


def _silent(box: Box, place: Between, process: Process) -> Iterator[str]:
    """The vendor never answers: the wait for it ends by itself, while the answer is still held back."""
    if process.wait() != INTERRUPTED:
        yield f"I13: it ended with {process.status}"
    place.release()
    yield from _last_word(process)


def _last_word(process: Process) -> Iterator[str]:
    """An end by force says once that it waited, and once what becomes of what was open."""
    if process.said().count(WAITS) != 1 or process.said().count("carries on: ") != 1:
        yield f"the end was not told: {process.said()}"


STOPS: dict[str, tuple[tuple[int, ...], Callable[[Box, Between, Process], Iterator[str]]]] = {
    "SIGINT": ((signal.SIGINT,), _drained),
    "SIGTERM": ((signal.SIGTERM,), _drained),
    "SIGHUP": ((signal.SIGHUP,), _drained),
    "SIGINT twice": ((signal.SIGINT, signal.SIGINT), _left),
    "SIGINT, SIGTERM": ((signal.SIGINT, signal.SIGTERM), _left),
    "SIGTERM, SIGKILL": ((signal.SIGTERM, signal.SIGKILL), _left),
    "SIGHUP, SIGHUP": ((signal.SIGHUP, signal.SIGHUP), _left),
    "SIGTERM, silence": ((signal.SIGTERM,), _silent),
}
"""Which signals come while a submit is under way, and what they must do."""


def during_a_submit(tally: Tally, played: Stage, name: str, kind: str) -> None:
    """The vendor has said yes, and the signals come before that is heard."""
    signals, judge = STOPS[name]
    number = len(tally.scenarios) * 100 + sum(tally.scenarios.values())
    with held(played, kind, number + 1000 * list(STOPS).index(name)) as (box, place):
        process = box.begin(played.starter, **({"grace": 0.3} if judge is _silent else {}))
        place.until_held()
        for one in signals:
            process.signal(one)
            _digest(process)
        found = [*judge(box, place, process)]
        box.ended(process)
        found += box.at_once()
        settle(tally, box, played.starter, found, f"{name} during a submit at {kind}")


def _digest(process: Process) -> None:
    """Wait until a signal has been taken: two equal ones that wait together would be one."""
    pending = 1
    while pending:
        try:
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):  # it is dead and gone already
            return
        pending = sum(int(line.split()[1], 16) for line in lines if line.startswith(("SigPnd", "ShdPnd")))
        os.sched_yield()


def at_points(tally: Tally, played: Stage, number: int, first: int, stride: int) -> None:
    """The signal once, at point `first`, `first + stride`, …: open submits are recorded, so that nobody is asked."""
    story = STORIES["one"]
    fresh = played.boxes(story)
    for k in range(first, MOST, stride):
        box = fresh()
        process = box.run(played.starter, *APPLY, at=k, signal=int(number))
        found = box.at_once()
        reached = len(process.points) >= k
        if process.status not in (0, INTERRUPTED, -number):
            found.append(f"I17: it ended with {process.status}")
        if number == signal.SIGINT and box.in_doubt():
            found.append("I17: an open submit was not waited for")
        at = process.points[k - 1] if reached else "the end"
        settle(tally, box, played.starter, found, f"{signal.Signals(number).name} at {k}, {at}")
        if not reached:
            return


def settle(tally: Tally, box: Box, starter: Launcher, found: list[str], title: str, sweep: str = SWEEP) -> None:
    """To the end, undisturbed; then the judge."""
    tally.scenarios[sweep] += 1
    tally.injected += 1
    try:
        for _ in range(2):
            box.run(starter, *APPLY)
    except Hung as error:
        found.append(f"I13: {error}")
    found += [*box.at_once(), *box.at_rest()]
    asked, bought = box.in_doubt(), len(box.entries())
    if asked and box.kind in LISTS and bought:
        found.append("asked about what the vendor lists")
    if sorted([*asked, *box.outputs()]) != ["hero"]:
        found.append(f"I3: made {box.outputs()}, asked about {asked}")
    tally.broken += [f"{text} [{sweep}: {title}]" for text in dict.fromkeys(found)]
    tally.asking += bool(asked) and not found
    tally.itself += not (asked or found)
    tally.needless += bool(asked) and not bought
    tally.scanned += sum(path.is_file() for path in box.folder.rglob("*"))


def signals(tally: Tally, stride: int) -> None:
    """All of it."""
    with stage() as played:
        for kind in ("uniall", "ark"):
            for name in STOPS:
                during_a_submit(tally, played, name, kind)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            at_points(tally, played, number, 1 + number % stride, stride)
        for point in STOPPED_AT[: 1 if stride > 10 else None]:
            stopped(tally, played, point)


STOPPED_AT = ("store.begin before", "vendor.request sent", "vendor.submit after", "store.fetched before")


def stopped(tally: Tally, played: Stage, point: str) -> None:
    """SIGSTOP at a point: a second apply is refused for as long as the first stands still, and SIGCONT ends it well."""
    box = played.boxes(STORIES["one"])()
    first = box.begin(played.starter, name=point, signal=int(signal.SIGSTOP))
    first.until_stopped()
    second = box.run(played.starter, *APPLY)
    findings = [] if second.status == LOCKED else [f"I11: the second ended with {second.status}: {second.said()}"]
    first.signal(signal.SIGCONT)
    if first.wait() != 0:
        findings.append(f"F98: it ended with {first.status} after SIGCONT: {first.said()}")
    box.ended(first)
    findings += box.at_once()
    settle(tally, box, played.starter, findings, f"SIGSTOP and SIGCONT at {point}")


# --- two at once ----------------------------------------------------------------------------


def linked(box: Box, number: int) -> Box:
    """The same project by another path: a link to its folder."""
    other = Box(box.folder / f"linked-{number}", box.vendor, box.kind, 0, ONE)
    shutil.rmtree(other.root)
    other.root.symlink_to(box.root)
    other.env, other.secret = box.env, box.secret
    return other


def race(tally: Tally, played: Stage, number: int, *, by_link: bool) -> None:
    """Two applies begin at the same time: one acts, the other exits 5 and has written and sent nothing. Then the one
    that acts is killed, and a third finds the lock free."""
    with held(played, "ark", 50_000 + number) as (box, place):
        rival = linked(box, number) if by_link else box
        pipe = box.folder / "barrier"
        os.mkfifo(pipe)
        roots = [str(box.root), str(rival.root)]
        both = [each.begin(played.starter, barrier=str(pipe), roots=roots) for each in (box, rival)]
        with pipe.open("wb"):  # opens when both wait, and lets both go
            place.until_held()
        before, sent = checker.picture(box.root), len(place.log)
        first, second = _order(played.starter, both)
        found = [] if second.wait() == LOCKED else [f"I11: the second ended with {second.status}: {second.said()}"]
        if len(place.submits()) > 0 or len(place.log) != sent or len(box.entries()) != 1:
            found.append(f"I11: something was sent: {place.log}")
        if checker.picture(box.root) != before:
            found.append("I11: the second wrote something")
        if any(
            name.startswith(("store.", "receipts.", "vendor.", "rename", "pwrite", "write")) for name in second.points
        ):
            found.append(f"I11: the second passed {second.points}")
        first.signal(signal.SIGKILL)
        first.wait()
        place.release()
        for process in both:
            box.ended(process)
        third = box.run(played.starter, *APPLY)
        if third.status == LOCKED:
            found.append("I11: the lock of a killed process was kept")
        settle(tally, box, played.starter, found, f"two applies at once{' by a link' if by_link else ''}")


def _order(starter: Launcher, both: list[Process]) -> tuple[Process, Process]:
    """Who acts, and who does not: the one that has ended."""
    starter.until(lambda: any(process.status is not None for process in both), 30)
    lost = 0 if both[0].status is not None else 1
    return both[1 - lost], both[lost]


def races(tally: Tally, count: int) -> None:
    """Some of each sort."""
    with stage() as played:
        for number in range(count):
            race(tally, played, number, by_link=bool(number % 2))
