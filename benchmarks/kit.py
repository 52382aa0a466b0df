"""What the benchmarks share: whole processes measured in turn with their baselines, and Markdown tables."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure. `before` and `after` are not timed."""

    name: str
    command: tuple[str, ...]
    folder: Path
    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None


@dataclass(slots=True)
class Timings:
    """Seconds of each round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def python(*arguments: str) -> tuple[str, ...]:
    """A command for the interpreter that runs this."""
    return (sys.executable, *arguments)


def clipform(*arguments: str) -> tuple[str, ...]:
    """A command line of clipform."""
    return python("-m", "reconciler", *arguments)


def run(name: str, command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of one whole process. RuntimeError when it fails."""
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=_environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)  # the one call that tells the CPU time of one child
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            words = said.read()[-2000:].decode(errors="replace").strip()
            raise RuntimeError(f"{name} ended with {process.returncode}: {words}")
    return wall, usage.ru_utime + usage.ru_stime


def _environment() -> dict[str, str]:
    """Ours, with compiled modules cached as they are for every user; a container's settings may switch that off."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def measure(cases: Mapping[K, Case], rounds: int) -> dict[K, Timings]:
    """Every case once a round, in turn, so that a slow moment of the machine falls on all of them.

    The first round is not counted: it warms the disk's and Python's caches, and drops what does not work.
    """
    working = {key: case for key, case in cases.items() if _works(case)}
    found = {key: Timings() for key in working}
    for _ in range(rounds):
        for key, case in working.items():
            wall, cpu = _timed(case)
            found[key].wall.append(wall)
            found[key].cpu.append(cpu)
    return found


def _works(case: Case) -> bool:
    try:
        _timed(case)
    except (RuntimeError, FileNotFoundError) as error:
        note(f"left out: {error}")
        return False
    return True


def _timed(case: Case) -> tuple[float, float]:
    if case.before:
        case.before()
    try:
        return run(case.name, case.command, case.folder)
    finally:
        if case.after:
            case.after()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, the first column to the left and the others to the right."""
    lines = [head, ["---", *("--:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def note(text: str) -> None:
    """Tell on stderr how far we are; the tables alone go to stdout."""
    print(text, file=sys.stderr, flush=True)
