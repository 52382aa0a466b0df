"""From a save to the new plan on the screen, in a project that is being watched.

    uv run python -m benchmarks.watch [--clips 1000] [--rounds 9]

`clipform watch` runs in a process of its own. Each round saves one prompt and waits for the plan that has it. Beside
it, in the same rounds: what a look costs in a process that has everything loaded, in seconds and in CPU seconds, and
how long the watcher waits after a save to see whether more of it comes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import IO

from benchmarks import project
from benchmarks.kit import clipform, note, table
from reconciler.engine.clock import SystemClock
from reconciler.engine.planfile import fingerprint
from reconciler.engine.workspace import Choice, Workspace
from reconciler.watch.listener import QUIET_MS


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="From a save to the new plan on the screen.")
    parser.add_argument("--clips", type=int, default=1_000, help="a multiple of 100")
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="clipform-") as folder:
        home = Path(folder) / "project"
        note(f"set up {asked.clips:,} clips")
        project.write(home, asked.clips)
        project.settle(home)
        note("measure")
        shown, looked, cpu = _measure(home, asked.rounds)
    rows = [
        ["a save to the new plan on the screen", _ms(median(shown)), _ms(min(shown))],
        [f"of that, waiting for the end of the save ({QUIET_MS} ms of quiet)", f"{QUIET_MS} to {2 * QUIET_MS} ms", ""],
        ["one look (`plan`) in a process that runs already", _ms(median(looked)), _ms(min(looked))],
        ["the same in CPU time", _ms(median(cpu)), _ms(min(cpu))],
    ]
    print(table([f"{asked.clips:,} clips, {asked.rounds} edits", "median", "best"], rows))


def _measure(home: Path, rounds: int) -> tuple[list[float], list[float], list[float]]:
    """Of each round: seconds in the watch, and seconds and CPU seconds of a look here. The first is not counted."""
    shots = home / "shots" / "0000.yaml"
    before = shots.read_text(encoding="utf-8")
    shown: list[float] = []
    looked: list[tuple[float, float]] = []
    workspace = Workspace(home, SystemClock(), os.environ)
    with _watching(home) as lines:
        _until(lines, "Nothing to do")
        for number in range(rounds + 1):
            prompt = f"revision{number}"
            began = time.perf_counter()
            shots.write_text(before.replace(project.PROMPT_TO_EDIT, prompt), encoding="utf-8")
            _until(lines, prompt)
            shown.append(time.perf_counter() - began)
            looked.append(_look(workspace))
    wall, cpu = zip(*looked[1:], strict=True)
    return shown[1:], list(wall), list(cpu)


def _look(workspace: Workspace) -> tuple[float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    fingerprint(workspace.plan(Choice(), workspace.load()).plan)
    return time.perf_counter() - began, time.process_time() - cpu


@contextmanager
def _watching(home: Path) -> Iterator[IO[str]]:
    command = clipform("--no-color", "watch")
    with subprocess.Popen(command, cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield child.stdout
        finally:
            child.terminate()


def _until(lines: IO[str], text: str) -> None:
    """The next line that holds a text. RuntimeError when the watch has ended."""
    for line in lines:
        if text in line:
            return
    raise RuntimeError("the watch has ended")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


if __name__ == "__main__":
    main()
