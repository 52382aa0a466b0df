"""Measures what a clip costs among many that are in flight at once: time and memory.

    uv run python -m benchmarks.in_flight [--clips 1000 10000] [--minutes 20] [--tmpfs /dev/shm]

All clips of a run are in flight together (`concurrency` is their number), against `clipform emulate` in a process of
its own, in a project on a tmpfs. Each size runs once; a run that takes longer than `--minutes` ends the benchmark.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.bare import KEY
from benchmarks.kit import circumstances, note, table
from benchmarks.transport import APPLY, VARIABLE, apply
from tests.emulator.process import emulator


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure a clip among many in flight.")
    parser.add_argument("--clips", type=int, nargs="+", default=[1_000, 10_000], help="the first is compared with")
    parser.add_argument("--minutes", type=int, default=20, help="the most that one size may take")
    parser.add_argument("--tmpfs", type=Path, default=Path("/dev/shm"), help="where syncing a file costs nothing")
    asked = parser.parse_args(arguments)
    print(circumstances())
    os.environ[VARIABLE] = KEY
    rows: list[list[str]] = []
    first: tuple[int, float, float] | None = None
    with tempfile.TemporaryDirectory(prefix="clipform-", dir=asked.tmpfs) as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        with emulator("--latency", "0", "--no-render", cwd=Path(folder), real=True) as vendor:
            for clips in asked.clips:
                note(f"{clips:,} clips")
                case = apply(APPLY, Namespace(clips=clips, width=clips), vendor, Path(folder) / "project")
                case = replace(case, command=(*case.command, "--timeout", f"{asked.minutes}m"))
                assert case.set_up is not None and case.tear_down is not None
                case.set_up()
                usage = case.run()
                case.tear_down()
                first = first or (clips, usage.cpu / clips, usage.peak)
                added = (usage.peak - first[2]) * 1024 / max(1, clips - first[0])
                rows.append([f"{clips:,}", f"{usage.cpu / clips * 1000:.1f} ms", f"{usage.cpu / clips / first[1]:.2f}"])
                rows[-1] += [f"{usage.peak:.0f} MiB", f"{added:.1f} KiB" if len(rows) > 1 else ""]
    print(table(["clips in flight", "CPU a clip", "÷ first", "peak memory", "each clip more"], rows))


if __name__ == "__main__":
    main()
