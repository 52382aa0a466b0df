"""Shared code of the benchmarks: measures whole processes in turn with their baselines, and prints Markdown tables."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Case:
    """One command to measure. `set_up` and `tear_down` are not timed."""

    name: str
    command: tuple[str, ...]
    folder: Path
    set_up: Callable[[], None] | None = None
    tear_down: Callable[[], None] | None = None


@dataclass(slots=True)
class Timings:
    """Seconds of each round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def python(*arguments: str) -> tuple[str, ...]:
    """Return a command for the current interpreter."""
    return (sys.executable, *arguments)


def clipform(*arguments: str) -> tuple[str, ...]:
    """Return a command line of clipform."""
    return python("-m", "reconciler", *arguments)


def run(name: str, command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Return wall and CPU seconds of one whole process. Raises RuntimeError if it fails."""
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=_environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(process.pid, 0)  # the only call that returns the CPU time of one child
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            tail = output.read()[-2000:].decode(errors="replace").strip()
            raise RuntimeError(f"{name} ended with {process.returncode}: {tail}")
    return wall, usage.ru_utime + usage.ru_stime


def _environment() -> dict[str, str]:
    """Return our environment, with compiled modules cached as for every user; a container's settings may disable
    that."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def measure(cases: Mapping[K, Case], rounds: int) -> dict[K, Timings]:
    """Run every case once a round, in turn, so that a slow moment of the machine affects all of them.

    The first round is not counted: it warms the disk's and Python's caches, and drops cases that fail.
    """
    working = {key: case for key, case in cases.items() if _works(case)}
    timings = {key: Timings() for key in working}
    for _ in range(rounds):
        for key, case in working.items():
            wall, cpu = _timed(case)
            timings[key].wall.append(wall)
            timings[key].cpu.append(cpu)
    return timings


def _works(case: Case) -> bool:
    try:
        _timed(case)
    except (RuntimeError, FileNotFoundError) as error:
        note(f"left out: {error}")
        return False
    return True


def _timed(case: Case) -> tuple[float, float]:
    if case.set_up:
        case.set_up()
    try:
        return run(case.name, case.command, case.folder)
    finally:
        if case.tear_down:
            case.tear_down()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, the first column aligned left and the others right."""
    lines = [head, ["---", *("--:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def circumstances() -> str:
    """Return the line that stands above every table: the commit, the day and the machine."""
    describe = ("git", "describe", "--always", "--dirty", "--exclude=*", "--abbrev=7")
    commit = subprocess.run(describe, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    return f"Measured at commit {commit.stdout.strip()} on {datetime.now(UTC).date()}: {machine}.\n"


def note(text: str) -> None:
    """Print progress to stderr; only the tables go to stdout."""
    print(text, file=sys.stderr, flush=True)
