"""Runs the model checker `spin` on `absence.pml`: all states that two clients and a vendor can reach."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MODEL = Path(__file__).parent / "absence.pml"

SMALL = ("TIME=6",)
"""For every change: seconds."""
FULL = ("TIME=9", "CRASHES=2", "JUMPS=2")
"""For a release: minutes, and two gigabytes of memory."""

CURES: Mapping[str, tuple[str, ...]] = {
    "LOCAL_CLOCK": ("TIME=6",),
    "SEED_CONTRADICTS": ("TIME=6",),
    "MAYBE_IS_ABSENT": ("TIME=6",),
    "FORGETFUL": ("TIME=7",),
    "NO_SETTLE": ("TIME=6",),
    "NO_INTENT": ("TIME=6",),
    "NO_LOCK": ("TIME=4", "CRASHES=0", "JUMPS=0"),
}
"""Each switch that removes a cure, with a size at which the double purchase is found."""


@dataclass(frozen=True)
class Explored:
    """The result: how many states were explored, and the assertion that failed, if one did."""

    states: int
    broken: str = ""

    @property
    def bought_twice(self) -> bool:
        """True if the key was bought twice."""
        return self.broken == "made<=1"


def missing() -> str:
    """Return which of the tools is not installed, for the reason of a skip; empty if all are there."""
    return ", ".join(tool for tool in ("spin", "gcc") if shutil.which(tool) is None)


def explore(folder: Path, *switches: str) -> Explored:
    """Check the model with these definitions (`NAME` or `NAME=VALUE`). Raises RuntimeError if it was not explored."""
    defines = [f"-D{switch}" for switch in switches]
    _run(folder, "spin", "-a", *defines, str(MODEL))
    _run(folder, "gcc", "-O1", "-DSAFETY", "-o", "pan", "pan.c")
    output = _run(folder, "./pan", "-m1000000", "-E")
    errors, states = re.search(r"errors: (\d+)", output), re.search(r"(\d+) states, stored", output)
    if errors is None or states is None or "search depth too small" in output:
        raise RuntimeError(f"the model was not explored: {output[-2000:]}")
    broken = re.search(r"assertion violated \((.*?)\) \(at", output)
    if bool(int(errors[1])) != bool(broken):
        raise RuntimeError(f"an error that is not an assertion: {output[-2000:]}")
    return Explored(int(states[1]), broken[1] if broken else "")


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=3600, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    return done.stdout
