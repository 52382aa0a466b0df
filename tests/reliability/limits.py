"""Runs hostile inputs in processes of their own, under hard limits: memory, CPU seconds for each input, and wall time.

`python -m tests.reliability.limits SORT FIRST END [CPU [MEMORY]]` tries inputs, prints each before it is tried, and at
the end prints the measurements as JSON. The kernel ends a process that exceeds a limit; its last line names the input.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from reconciler.api.access import Access
from tests.reliability import hostile
from tests.reliability.figures import Tally
from tests.reliability.hostile import Case
from tests.reliability.strangers import Finding, projects

CPU = 10
"""Seconds that one input may take."""
MEMORY = 512 << 20
"""Bytes of address space that a process may take beyond what it has at its start."""
WALL = 120.0
"""Seconds that a batch may take: whatever waits instead of working is ended too."""

ROOT = Path(__file__).parents[2]


def unable() -> str:
    """Why limits cannot be held here; nothing where they can."""
    return "" if os.path.exists("/proc/self/clear_refs") else "hostile input under limits: no /proc to count memory by"


def bounded(tally: Tally, sort: str, seeds: range, cpu: int = CPU, memory: int = MEMORY) -> None:
    """Try a batch of inputs in a child."""
    if reason := unable():
        tally.skipped.append(reason)
        return
    command = [sys.executable, "-m", __name__, sort, str(seeds.start), str(seeds.stop), str(cpu), str(memory)]
    said, why = "", ""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WALL)
        said = done.stdout
        why = f"ended by signal {-done.returncode}" if done.returncode < 0 else done.stderr.strip()[-200:]
        ended = done.returncode != 0
    except subprocess.TimeoutExpired as error:
        said, why, ended = (error.stdout or b"").decode(), f"not done within {WALL:g} s", True
    lines = said.splitlines()
    if ended:
        story = next((line for line in reversed(lines) if line.startswith("try ")), "try nothing").removeprefix("try ")
        tally.tracebacks += 1
        tally.broken.append(f"I15: {why} [{sort}: {story}]")
        return
    _add(tally, sort, json.loads(lines[-1]))


def _add(tally: Tally, sort: str, told: Mapping[str, float]) -> None:
    tally.inputs[sort] += int(told["inputs"])
    tally.tracebacks += int(told["tracebacks"])
    tally.wrong_class += int(told["wrong"])
    tally.slowest = max(tally.slowest, told["slowest"])
    tally.largest = max(tally.largest, int(told["largest"]))
    tally.broken += told["broken"]  # type: ignore[arg-type]  # a list of texts


# --- the child ------------------------------------------------------------------------------------


def child(sort: str, seeds: range, cpu: int, memory: int) -> None:
    """Try them all."""
    each = len(hostile.KINDS) if "dialects" in sort else 1
    told = {"inputs": 0, "tracebacks": 0, "wrong": 0, "slowest": 0.0, "largest": 0}
    broken: list[str] = []
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, now + memory))
    for story, run in _cases(sort, seeds):
        print(f"try {story}", flush=True)  # noqa: T201  # what a process says that may be ended at once
        began, start = time.process_time(), _memory("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        resource.setrlimit(resource.RLIMIT_CPU, (int(began) + cpu + 1, resource.RLIM_INFINITY))
        told["inputs"] += each
        try:
            if not run():
                told["wrong"] += 1
                broken.append(f"class: more than it proves [{story}]")
        except Finding as finding:
            broken.append(f"{finding} [{story}]")
        except Exception as error:  # noqa: BLE001  # a traceback is what is looked for
            told["tracebacks"] += 1
            broken.append(f"traceback: {type(error).__name__}: {str(error)[:200]!a} [{story}]")
        told["slowest"] = max(told["slowest"], time.process_time() - began)
        told["largest"] = max(told["largest"], _memory("VmHWM") - start)
    print(json.dumps({**told, "broken": broken}))  # noqa: T201  # as above


def _cases(sort: str, seeds: range) -> Iterator[Case]:
    if sort == UNGATED:
        return _ungated(seeds)
    return hostile.SORTS[sort](seeds) if sort in hostile.SORTS else PLANTED[sort](seeds)


def _memory(name: str) -> int:
    """Bytes of memory in use, or at the peak, as the kernel counts them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


# --- what must be caught --------------------------------------------------------------------------


def _loop() -> bool:
    while True:
        pass


def _hog() -> bool:
    return len(bytearray(1 << 40)) > 0


PLANTED: Mapping[str, Callable[[range], Iterator[Case]]] = {
    "a loop without end": lambda seeds: iter([("loop", _loop)]),
    "a hunger without end": lambda seeds: iter([("hog", _hog)]),
    "a traceback": lambda seeds: iter([("trace", lambda: bool(1 / 0))]),
    "more than it proves": lambda seeds: iter([("wrong", lambda: False)]),
}
UNGATED = "projects without a gate"


def _ungated(seeds: range) -> Iterator[Case]:
    Access.require_trust = lambda self, **_: None  # type: ignore[method-assign]  # this process ends with the batch
    return projects(seeds)


if __name__ == "__main__":
    child(sys.argv[1], range(int(sys.argv[2]), int(sys.argv[3])), int(sys.argv[4]), int(sys.argv[5]))
