"""The jobs of the short form, for every change, and of the long one, for a release."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.emulator.kit import Rig
from tests.facts.estimates import quotients
from tests.reliability import hostile, limits, sweeps, wired_sweeps
from tests.reliability.commands.play import play as play_commands
from tests.reliability.figures import Tally
from tests.reliability.model.explore import CURES, FULL, SMALL, explore, missing
from tests.reliability.planted import bugs, hunt, step_bugs, story_bugs
from tests.reliability.processes import real
from tests.reliability.simulator import listed, sqlite_power
from tests.reliability.simulator.stories import FAULTS, STORIES

Job = tuple[Callable[..., None], tuple[Any, ...]]


@dataclass(frozen=True)
class Size:
    """The size of a run: the first seed, long or short, seeds for each random sweep (None: its own), and the stride
    over points of real processes."""

    seed: int = 1
    long: bool = False
    seeds: int | None = None
    thin: int = 1

    def of(self, short: int, long: int) -> int:
        """A number of seeds."""
        return self.seeds if self.seeds is not None else long if self.long else short

    def by_seed(self, sweep: Callable[..., None], count: int, each: int) -> Iterator[Job]:
        """A sweep over so many seeds, in jobs of `each`."""
        for first in range(self.seed, self.seed + count, each):
            yield sweep, (range(first, min(first + each, self.seed + count)),)


def jobs(size: Size) -> Iterator[Job]:
    """Yield all jobs, the longest first."""
    yield from real.jobs(size.seed, long=size.long, thin=size.thin)
    yield from _commands(size)
    yield from _kills(size)
    yield from _power(size)
    yield from _exchanges(size)
    yield from _inputs(size)
    for name in bugs.BUGS:
        yield planted, (name,)
    for name in story_bugs.WRONG:
        yield in_a_story, (name,)
    for name in step_bugs.SESSIONS:
        yield in_a_session, (name,)
    for variant in sqlite_power.PLANTED:
        yield wrong_setting, (variant,)
    yield modelled, (FULL if size.long else SMALL,)
    for cure in CURES:
        yield uncured, (cure,)
    if size.long:
        yield absent, ()


def _commands(size: Size) -> Iterator[Job]:
    for first in range(size.seed, size.seed + max(1, size.of(20, 240) // 20)):
        yield play_commands, (first, 20, 25 if size.long else 15)
    yield from size.by_seed(sweeps.walks, size.of(50, 600), 50)
    yield from size.by_seed(sweeps.interleaved, size.of(40, 400), 50)


def _kills(size: Size) -> Iterator[Job]:
    for kind in ("seeded", "plain"):
        yield listed.kills, (kind, 1, 1 if size.long else 9)
        for jump in (700.0, -700.0):
            yield listed.clocks, (kind, jump, 1, 3 if size.long else 37)
    for name in STORIES:
        yield sweeps.kills, (name, 1 if size.long else 7)
    for name in FAULTS:
        yield sweeps.faults_and_kills, (name, 5 if size.long else 37)
    for first in range(1, 115, 5) if size.long else (16, 44, 72, 100):
        yield sweeps.kills_in_recovery, (first, 5 if size.long else 29)
    yield sweeps.single_faults, ()
    yield sweeps.clocks_and_pipes, ()


def _power(size: Size) -> Iterator[Job]:
    for name in ("chain", "replace", "unwanted", "one") if size.long else ("one", "replace"):
        modes = ("strict", "names", *range(size.seed, size.seed + 3)) if size.long else ("strict", "names")
        yield sweeps.power_cuts, (name, modes, 3 if size.long else 7)
    for name in ("one", "chain", "replace") if size.long else ("one",):
        yield sweeps.lying_syncs, (name,)
    for first in range(size.seed, size.seed + (8 if size.long else 1)):
        yield sqlite_power.cuts, ("production", range(first, first + 1), 1 if size.long else 5, first)


def _exchanges(size: Size) -> Iterator[Job]:
    for phase in ("submit", "poll", "fetch"):
        yield wired_sweeps.single, (phase,)
        yield wired_sweeps.for_ever, (phase,)
        for first in (0, 3, 6) if size.long else (0,):
            yield wired_sweeps.and_kills, (phase, 9 if size.long else 83, first)


def _inputs(size: Size) -> Iterator[Job]:
    amounts = {"specs": (600, 20_000), "replies × dialects": (600, 12_000), "files": (600, 10_000)}
    amounts["projects"] = (20, 600)
    for sort in hostile.SORTS:
        each = {"projects": 50, "specs": 500}.get(sort, 1000)  # a batch ends within `limits.WALL`
        for _, (seeds,) in size.by_seed(limits.bounded, size.of(*amounts.get(sort, (600, 5000))), each):
            yield limits.bounded, (sort, seeds)
    yield ungated, ()
    yield estimates, (1000 if size.long else 100,)


def planted(tally: Tally, name: str) -> None:
    """One planted bug."""
    found = hunt.caught(name)
    if found is None:
        tally.skipped.append(f"planted bug '{name}': no file system in memory here")
        return
    tally.planted += 1
    tally.caught += bugs.BUGS[name].breaks in found
    if bugs.BUGS[name].breaks not in found:
        tally.broken.append(f"harness: the planted bug '{name}' is not caught; found {sorted(found)}")


def in_a_story(tally: Tally, name: str) -> None:
    """One bug that is planted in a story of its own; without it the judge must be silent there."""
    try:
        quiet, found = story_bugs.found(name, planted=False), story_bugs.found(name)
    except story_bugs.CannotPlay as reason:
        tally.skipped.append(f"planted bug '{name}': {reason}")
        return
    tally.planted += 1
    caught = story_bugs.WRONG[name].breaks in found
    tally.caught += caught
    if not caught:
        tally.broken.append(f"harness: the planted bug '{name}' is not caught; found {sorted(found)}")
    tally.broken += [f"{promise}: in the story of the bug '{name}', without the bug" for promise in sorted(quiet)]


def in_a_session(tally: Tally, name: str) -> None:
    """One bug that a certain step of the random commands must find; without that step, and without the bug, nothing."""
    caught = step_bugs.SESSIONS[name].breaks in step_bugs.found(name)
    tally.planted += 1
    tally.caught += caught
    if not caught:
        tally.broken.append(f"harness: the planted bug '{name}' is not caught")
    if step_bugs.found(name, without=True) or step_bugs.found(name, planted=False):
        tally.broken.append(f"harness: the planted bug '{name}' is not shown by its step")


def ungated(tally: Tally) -> None:
    """Hostile projects without the gate of trust: what they ask for must be noticed."""
    if limits.unable():
        return
    findings = Tally()
    limits.bounded(findings, limits.UNGATED, range(20, 21))
    tally.planted += 1
    tally.caught += bool(findings.count("I7", "I8", "I9"))
    if not findings.count("I7", "I8", "I9"):
        tally.broken.append("harness: hostile projects are let through, and nothing is noticed")


def wrong_setting(tally: Tally, name: str) -> None:
    """One planted setting of SQLite."""
    tally.planted += 1
    tally.caught += sqlite_power.caught(sqlite_power.PLANTED[name]) is not None


def modelled(tally: Tally, switches: tuple[str, ...]) -> None:
    """Explore the model of the protocol with all its cures."""
    if tools := missing():
        tally.skipped.append(f"the model of the protocol: not installed: {tools}")
        return
    with tempfile.TemporaryDirectory() as folder:
        explored = explore(Path(folder), *switches)
    tally.states += explored.states
    if explored.broken:
        tally.broken.append(f"I1: the model of the protocol breaks {explored.broken}")


def uncured(tally: Tally, cure: str) -> None:
    """Explore the model without one cure: the double purchase must be found."""
    if missing():
        return
    with tempfile.TemporaryDirectory() as folder:
        explored = explore(Path(folder), cure, *CURES[cure])
    tally.planted += 1
    tally.caught += explored.bought_twice
    if not explored.bought_twice:
        tally.broken.append(f"harness: the model without a cure ({cure}) buys once")


def estimates(tally: Tally, count: int) -> None:
    """Estimate random clips, and have the emulator bill them by the vendor's tables."""
    with tempfile.TemporaryDirectory() as folder, closing(Rig(Path(folder))) as rig:
        tally.quotients += [float(quotient) for _, quotient in quotients(rig, count)]


def absent(tally: Tally) -> None:
    """Report the methods of never-pay-twice#s5-2 that no run has."""
    tally.skipped.append("a device-mapper target that loses writes: not run here, it takes root and a disk of its own")
