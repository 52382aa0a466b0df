"""The emulator as a child process: for tests and benchmarks, whose client must not share a loop with its vendor.

    with emulator("--latency", "0", "--no-render") as vendor:
        httpx.post(f"{vendor.api}/ark/contents/generations/tasks", …)

It listens when the block begins and is dead when it ends, also if it does not want to.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_START: Final = 30.0
_END: Final = 10.0


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator: its origins and its process id."""

    api: str
    media: str
    pid: int


@contextmanager
def emulator(*options: str, cwd: Path | None = None) -> Iterator[Emulator]:
    """`clipform emulate` on free ports with these options. Raises RuntimeError when it does not come up."""
    command = [sys.executable, "-m", "reconciler", "--json", "emulate", "--port", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=cwd, env=_environment()
    ) as child:
        try:
            told = _first_line(child)
            yield Emulator(str(told["api"]), str(told["media"]), child.pid)
        finally:
            _end(child)


def _environment() -> dict[str, str]:
    """As ours, with this package at hand wherever the child is started."""
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def _first_line(child: subprocess.Popen[bytes]) -> dict[str, object]:
    """What the child says once it listens: waited for on its pipe, not by asking again and again."""
    assert child.stdout is not None
    ready, _, _ = select.select([child.stdout], [], [], _START)
    line = child.stdout.readline() if ready else b""
    try:
        told: dict[str, object] = json.loads(line)
    except ValueError:
        child.kill()
        _, complaint = child.communicate()
        raise RuntimeError(f"the emulator did not start: {line.decode()}{complaint.decode()}") from None
    if "api" not in told:
        raise RuntimeError(f"the emulator did not start: {line.decode()}")
    return told


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask, wait, insist."""
    child.terminate()
    try:
        child.communicate(timeout=_END)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
