"""`python -m tests.reliability [--long] [--seed N]`: the proof, and its figures.

The short form is what pytest plays, in about two minutes. The long one writes `benchmarks/RELIABILITY.md`. Exit code 1
when a bar is missed. Everything random comes from the seed, so that a finding can be played again.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tests.reliability import bugs, commands, hostile, listed, real, sqlite_power, sweeps, wired_sweeps
from tests.reliability.figures import Tally
from tests.reliability.stories import FAULTS, STORIES

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "benchmarks" / "RELIABILITY.md"
SEED = 1

Job = tuple[Callable[..., None], tuple[Any, ...]]


def planted(tally: Tally, name: str) -> None:
    """One planted bug."""
    found = bugs.caught(name)
    if found is None:
        tally.skipped.append(f"planted bug '{name}': no file system in memory here")
        return
    tally.planted += 1
    tally.caught += bugs.BUGS[name].breaks in found


def wrong_setting(tally: Tally, name: str) -> None:
    """One planted setting of SQLite."""
    tally.planted += 1
    tally.caught += sqlite_power.caught(sqlite_power.PLANTED[name]) is not None


def jobs(seed: int, *, long: bool) -> Iterator[Job]:
    """What is played, the longest first."""
    yield from real.jobs(seed, long=long)
    for kind in ("seeded", "plain"):
        yield listed.kills, (kind, 1, 1 if long else 4)
    for first in range(seed, seed + (6 if long else 1)):
        yield commands.play, (first, 25 if long else 20, 20 if long else 15)
    yield from _by_seed(sweeps.walks, seed, 500 if long else 50, 50)
    yield from _by_seed(sweeps.interleaved, seed, 300 if long else 40, 50)
    for name in STORIES:
        yield sweeps.kills, (name, 1 if long else 4)
    for name in ("chain", "replace", "unwanted", "one") if long else ("one", "replace"):
        modes = ("strict", "names", *range(seed, seed + 3)) if long else ("strict", "names")
        yield sweeps.power_cuts, (name, modes, 2 if long else 3)
    for name in FAULTS:
        yield sweeps.faults_and_kills, (name, 3 if long else 14)
    for first in range(1, 60, 3) if long else (8, 22, 36, 50):
        yield sweeps.kills_in_recovery, (first, 3 if long else 12)
    yield sweeps.single_faults, ()
    for phase in ("submit", "poll", "fetch"):
        yield wired_sweeps.single, (phase,)
        yield wired_sweeps.for_ever, (phase,)
        for first in (0, 3, 6) if long else (0,):
            yield wired_sweeps.and_kills, (phase, 9 if long else 61, first)
    for first in range(1, 9) if long else (1,):
        yield sqlite_power.cuts, ("production", range(first, first + 1), 1 if long else 3, first)
    for variant in sqlite_power.PLANTED:
        yield wrong_setting, (variant,)
    yield from _by_seed(hostile.specs, seed, 20_000 if long else 400, 1000)
    yield from _by_seed(hostile.answers, seed, 2000 if long else 300, 250)
    for name in bugs.BUGS:
        yield planted, (name,)


def _by_seed(sweep: Callable[..., None], seed: int, count: int, each: int) -> Iterator[Job]:
    for first in range(seed, seed + count, each):
        yield sweep, (range(first, min(first + each, seed + count)),)


def play(job: Job) -> Tally:
    """One job, in a process of its own."""
    tally = Tally()
    what, arguments = job
    try:
        what(tally, *arguments)
    except Exception as error:  # noqa: BLE001  # the harness itself failed: no figure without it
        tally.broken.append(f"harness: {what.__name__}{arguments}: {type(error).__name__}: {error}")
    return tally


def main(arguments: list[str]) -> int:
    """Play everything; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("--long", action="store_true", help="more of everything; writes benchmarks/RELIABILITY.md")
    parser.add_argument("--seed", type=int, default=SEED, help=f"where random choices begin ({SEED})")
    asked = parser.parse_args(arguments)
    began, total = time.monotonic(), Tally()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for tally in pool.map(play, jobs(asked.seed, long=asked.long)):
            total.add(tally)
    took = time.monotonic() - began
    report = _report(total, asked.seed, took, long=asked.long)
    sys.stdout.write(report)
    if asked.long:
        REPORT.write_text(report, encoding="utf-8")
    return 0 if total.passed() else 1


def _report(tally: Tally, seed: int, took: float, *, long: bool) -> str:
    form = "--long " if long else ""
    parts = [
        "# Reliability: the figures\n",
        "What is promised is in the README; how it is proved is in `tests/reliability`. Made by\n",
        f"    python -m tests.reliability {form}--seed {seed}\n",
        f"at commit {_commit()}, seeds from {seed}, in {took:.0f} s on {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {platform.system()}. Nothing here is written by hand.\n",
        tally.table(),
        tally.by_sweep(),
        *(f"Skipped: {reason}.\n" for reason in sorted(set(tally.skipped))),
        *(["Broken:\n", *(f"- {text}" for text in tally.broken[:50])] if tally.broken else []),
        "A needless question is a request in doubt that the vendor never saw: the process died between noting its\n"
        "intent and sending it. No program can tell that from a request that was lost on the way back; it asks rather\n"
        "than pay twice. The vendor of sweeps a to h offers no list of its tasks; where there is one, nobody is asked "
        "(k).\n",
    ]
    return "\n".join(parts)


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
