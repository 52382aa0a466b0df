"""Measures what a clip costs among many that are in flight at once: time and memory.

    uv run python -m benchmarks.in_flight [--clips 1000 10000] [--minutes 8] [--tmpfs /dev/shm]

All clips of a run are in flight together (`concurrency` is their number), against `clipform emulate` in a process of
its own, in a project on a tmpfs. Each size runs once, and its row is printed when it ends; how many clips are done is
noted every ten seconds, which shows if the pace drifts. A size that takes longer than `--minutes` is stopped, and
ends the benchmark: its CPU a clip is of the clips that were done. Before each, `plan --json` of the same project shows
what memory its clips take when none is in flight.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from argparse import Namespace
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path

from benchmarks.bare import KEY
from benchmarks.kit import Usage, circumstances, clipform, note, run, table
from benchmarks.transport import APPLY, VARIABLE, apply
from tests.emulator.process import Emulator, emulator

HEADS = ["clips in flight", "done", "CPU a clip", "÷ first", "peak memory", "of the plan alone", "a task above that"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print each row of the table when it is known."""
    parser = argparse.ArgumentParser(description="Measure a clip among many in flight.")
    parser.add_argument("--clips", type=int, nargs="+", default=[1_000, 10_000], help="the first is compared with")
    parser.add_argument("--minutes", type=int, default=8, help="the most that one size may take")
    parser.add_argument("--tmpfs", type=Path, default=Path("/dev/shm"), help="where syncing a file costs nothing")
    asked = parser.parse_args(arguments)
    print(f"{circumstances()}\n{table(HEADS, [])}", flush=True)
    os.environ[VARIABLE] = KEY
    first: float | None = None
    with tempfile.TemporaryDirectory(prefix="clipform-", dir=asked.tmpfs) as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        with emulator("--latency", "0", "--no-render", cwd=Path(folder), real=True) as vendor:
            for clips in asked.clips:
                done, usage, base = _measured(clips, asked.minutes, vendor, Path(folder) / "project")
                cpu = usage.cpu / max(1, done)
                first = first or cpu
                row = [f"{clips:,}", f"{done:,}", f"{cpu * 1000:.1f} ms", f"{cpu / first:.2f}"]
                row += [f"{peak:.0f} MiB" for peak in (usage.peak, base)]
                row += [f"{(usage.peak - base) * 1024 / clips:.1f} KiB"]
                print(f"| {' | '.join(row)} |", flush=True)
                if done < clips:
                    break


def _measured(clips: int, minutes: int, vendor: Emulator, home: Path) -> tuple[int, Usage, float]:
    """Return how many of so many new clips were done in time, what that took, and the MiB of the plan before it."""
    case = apply(APPLY, Namespace(clips=clips, width=clips), vendor, home)
    assert case.set_up is not None and case.tear_down is not None
    case.set_up()
    command = (*case.command, "--timeout", f"{minutes}m")
    base = run("plan", clipform("-C", str(home), "--json", "plan"), case.folder).peak
    began, done = time.monotonic(), 0
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(run, case.name, command, case.folder, codes=("0", "3"))  # 3: some are left
        while not result.done():
            before, done = done, len(list((home / "renders").glob("*.mp4")))
            note(f"{time.monotonic() - began:4.0f} s: {done:,} of {clips:,} clips done, {done - before:,} more")
            try:
                result.result(timeout=10)
            except NotYet:
                continue
        done = len(list((home / "renders").glob("*.mp4")))
        if done == clips:
            case.tear_down()
        return done, result.result(), base


if __name__ == "__main__":
    main()
