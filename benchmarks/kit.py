"""Shared code of the benchmarks: measures whole processes in turn with their baselines, and prints Markdown tables."""

from __future__ import annotations

import math
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import NamedTuple, TypeVar

K = TypeVar("K")

SHORT_SECONDS = 4.0
SHORT_RUNS = 3


@dataclass(frozen=True, slots=True)
class Case:
    """One command to measure. `set_up` and `tear_down` are not timed."""

    name: str
    command: tuple[str, ...]
    folder: Path
    set_up: Callable[[], None] | None = None
    tear_down: Callable[[], None] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    """What is added to ours."""

    def run(self) -> Usage:
        """Run it once, as a whole process. Raises RuntimeError if it fails."""
        return run(self.name, self.command, self.folder, self.environment)


class Usage(NamedTuple):
    """What one process took: seconds, and the most memory that it held at once, in MiB."""

    wall: float
    cpu: float
    peak: float


@dataclass(slots=True)
class Timings:
    """What each round took."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)

    def add(self, usage: Usage) -> None:
        """Add a round."""
        self.wall.append(usage.wall)
        self.cpu.append(usage.cpu)
        self.peak.append(usage.peak)


def python(*arguments: str) -> tuple[str, ...]:
    """Return a command for the current interpreter."""
    return (sys.executable, *arguments)


def clipform(*arguments: str) -> tuple[str, ...]:
    """Return a command line of clipform."""
    return python("-m", "reconciler", *arguments)


_LAUNCH = """
import os, sys, time
began = time.perf_counter()
process = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(process, 0)
took = time.perf_counter() - began
with os.fdopen(int(sys.argv[1]), "w") as answer:
    print(os.waitstatus_to_exitcode(status), took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=answer)
"""
"""A process begins with the memory of its parent on its account (`ru_maxrss`), so a small one starts it."""


def run(
    name: str,
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    codes: Sequence[str] = ("0",),
) -> Usage:
    """Return what one whole process took. Raises RuntimeError if it ends with another exit code than these."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile("w+") as answer:
        subprocess.run(
            (sys.executable, "-I", "-S", "-c", _LAUNCH, str(answer.fileno()), *command),
            cwd=folder,
            env=_environment() | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[answer.fileno()],
            check=False,
        )
        answer.seek(0)
        code, *figures = answer.read().split() or ("no process",)
        if code not in codes:
            output.seek(0)
            tail = output.read()[-2000:].decode(errors="replace").strip()
            raise RuntimeError(f"{name} ended with {code}: {tail}")
    wall, cpu, kibibytes = map(float, figures)
    return Usage(wall, cpu, kibibytes / 1024)


def _environment() -> dict[str, str]:
    """Return our environment, with compiled modules cached as for every user; a container's settings may disable
    that."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def measure(cases: Mapping[K, Case], rounds: int, longest: float = math.inf) -> dict[K, Timings]:
    """Run every case once a round, in turn, so that a slow moment of the machine affects all of them.

    The first round is not counted: it warms the disk's and Python's caches, and drops cases that fail. With 0 rounds
    it is the only one, and counts. A case that would take more than `longest` seconds in all its rounds is run in
    fewer of them, at least in one; what takes less than `SHORT_SECONDS` is run `SHORT_RUNS` times a round, between the
    others, as a moment of the machine is a large part of it.
    """
    first = {key: usage for key, case in cases.items() if (usage := _first(case)) is not None}
    timings = {key: Timings() for key in first}
    for number, again in product(range(rounds), range(SHORT_RUNS)):
        for key, measured in timings.items():
            is_due = first[key].wall < SHORT_SECONDS if again else number < max(1, longest / first[key].wall)
            if is_due:
                measured.add(_timed(cases[key]))
    if not rounds:
        for key, measured in timings.items():
            measured.add(first[key])
    return timings


def _first(case: Case) -> Usage | None:
    """Return what the first run took; None if it failed."""
    try:
        return _timed(case)
    except (RuntimeError, FileNotFoundError) as error:
        note(f"left out: {error}")
        return None


def _timed(case: Case) -> Usage:
    if case.set_up:
        case.set_up()
    try:
        return case.run()
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
