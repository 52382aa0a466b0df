"""Run the emulator as a child process, for tests and benchmarks whose client must not share its event loop.

    with emulator("--latency", "0", "--no-render") as vendor:
        httpx.post(f"{vendor.api}/ark/contents/generations/tasks", …)

It listens when the block begins and is terminated when the block ends, or killed if it does not stop.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.program.start import start

_START_SECONDS: Final = 100.0
_STOP_SECONDS: Final = 100.0


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator: its origins and its process id."""

    api: str
    media: str
    pid: int


@contextmanager
def emulator(*options: str, cwd: Path | None = None, real: bool = False) -> Iterator[Emulator]:
    """Run `clipform emulate` on free ports with these options; `real`: a fresh start. Raises RuntimeError if it does
    not start."""
    words = ["--json", "emulate", "--port", "0", "--list-rate", "0", *options]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    with start(words, real=real, cwd=cwd, env=_environment(), **streams) as child:
        try:
            origins = first_line(child)
            yield Emulator(str(origins["api"]), str(origins["media"]), child.pid)
        finally:
            stop(child)


def _environment() -> dict[str, str]:
    """Return our environment, in which the child can import this package from any directory."""
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def first_line(child: subprocess.Popen[Any]) -> dict[str, object]:
    """Wait on the child's pipe for the line that it prints once it listens, and return it."""
    output = child.stdout
    ready = output is not None and select.select([output], [], [], _START_SECONDS)[0]
    line = output.readline() if output is not None and ready else b""
    try:
        origins: dict[str, object] = json.loads(line)
    except ValueError:
        child.kill()
        _, complaint = child.communicate()
        raise RuntimeError(f"the emulator did not start: {line.decode()}{complaint.decode()}") from None
    if "api" not in origins:
        raise RuntimeError(f"the emulator did not start: {line.decode()}")
    return origins


def stop(child: subprocess.Popen[Any]) -> None:
    """Terminate the child, and kill it if it does not stop."""
    child.terminate()
    try:
        child.communicate(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
