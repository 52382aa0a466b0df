"""`python -m tests.reliability [--long] [--seed N] [--seeds N]`: runs all sweeps and prints the figures.

The short form takes minutes and is what pytest runs. The long one rewrites `benchmarks/RELIABILITY.md`. Exit code 1 if
a bar is missed. Everything random derives from the seed, so that a finding can be replayed. `--resume` goes on with a
run of the same commit and form that was stopped.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path

from tests.reliability.figures import Tally
from tests.reliability.jobs import Job, Size, jobs
from tests.reliability.journal import Journal

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "benchmarks" / "RELIABILITY.md"
SEED = 1


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
    parser.add_argument("--seeds", type=int, metavar="N", help="how many seeds each sweep by seed plays")
    parser.add_argument(
        "--workers", type=int, default=3 * (os.cpu_count() or 1), help="jobs at once; most of them wait"
    )
    parser.add_argument("--thin", type=int, default=1, metavar="N", help="real processes: every Nth point only (1)")
    parser.add_argument("--resume", action="store_true", help="go on with such a run of this commit that was stopped")
    asked = parser.parse_args(arguments)
    size = Size(asked.seed, asked.long, asked.seeds, asked.thin)
    form = "-".join(map(str, (_commit(), *astuple(size))))
    journal = Journal(ROOT / ".cache" / "reliability" / form, resume=asked.resume)
    finished = journal.finished()
    began, total = time.monotonic(), Tally()
    for tally in finished.values():
        total.add(tally)
    with ProcessPoolExecutor(asked.workers) as pool:
        played = {pool.submit(play, job): (n, job) for n, job in enumerate(jobs(size)) if n not in finished}
        for number, done in enumerate(as_completed(played), start=len(finished) + 1):
            total.add(done.result())
            index, (what, with_) = played[done]
            seconds = time.monotonic() - began
            journal.keep(index, done.result(), seconds)
            sys.stderr.write(f"{seconds:6.0f} s  {number} of {len(finished) + len(played)}  {what.__name__}{with_}\n")
    parts = [*journal.parts, time.monotonic() - began]
    report = _report(total, size, parts)
    journal.close()
    sys.stdout.write(report)
    if asked.long:
        REPORT.write_text(report, encoding="utf-8")
    return 0 if total.passed() else 1


def _report(tally: Tally, size: Size, seconds: Sequence[float]) -> str:
    form = "--long " if size.long else ""
    seeds = "" if size.seeds is None else f" --seeds {size.seeds}"
    thin = "" if size.thin == 1 else f" --thin {size.thin}"
    pieces = f", in {len(seconds)} parts" if len(seconds) > 1 else ""
    parts = [
        "# Reliability: the figures\n",
        "What is promised is in the README; how it is proved is in `tests/reliability`. Made by\n",
        f"    python -m tests.reliability {form}--seed {size.seed}{seeds}{thin}\n",
        f"{at_commit(sum(seconds))}{pieces}, seeds from {size.seed}. Nothing here is written by hand.\n",
        f"{tally.in_short()}\n",
        tally.table(),
        tally.by_sweep(),
        *(f"Not run: {reason}.\n" for reason in sorted(set(tally.skipped))),
        *(["Broken:\n", *(f"- {text}" for text in tally.broken[:50])] if tally.broken else []),
        "A needless question is a request in doubt that the vendor never saw: the process died between noting its\n"
        "intent and sending it. No program can tell that from a request that was lost on the way back; it asks rather\n"
        "than pay twice. The vendor of sweeps a to h offers no list of its tasks; where there is one, nobody is asked "
        "(k).\n",
    ]
    return "\n".join(parts)


def at_commit(took: float) -> str:
    """What made a report, in words."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    return f"at commit {_commit()} on {datetime.now(UTC).date()} in {took:.0f} s: {machine}"


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
