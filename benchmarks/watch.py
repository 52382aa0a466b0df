"""Measures the time from a save to the new plan or draft in a watched project.

    uv run python -m benchmarks.watch [--clips 1000] [--rounds 21]

`clipform watch` runs in a process of its own. Each round saves one edit of each kind and waits for the end of the
resulting plan. In the same rounds it measures the same load and plan in a new process, and their parts in one with a
warm memo. CPU seconds of the watch are those of all its threads.

Then `clipform watch --draft`: from saving one prompt of four to its new draft in place, compared with the bare render
of that scene in a process that has everything loaded.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import IO

from PIL import Image

from benchmarks import project
from benchmarks.kit import circumstances, clipform, note, table
from reconciler.clock import SystemClock
from reconciler.engine.attempt import job as jobs
from reconciler.media.draft.job import render_job
from reconciler.project.model import Choice
from reconciler.project.saved_plan import fingerprint
from reconciler.project.workspace import Workspace
from reconciler.watch.file_listener import QUIET_MS

Times = tuple[float, float]
"""Wall seconds and CPU seconds."""

_SHOTS = "version: 1\ndefaults: {duration: 5, resolution: 480p, ratio: 16:9}\nclips:\n" + "".join(
    f"  shot-{number}: {{prompt: mist over the harbour {number}}}\n" for number in range(4)
)


@dataclass
class Sort:
    """One kind of edit; `save` makes the edit of a round."""

    name: str
    save: Callable[[int], None]
    watched: list[Times] = field(default_factory=list)
    fresh: list[Times] = field(default_factory=list)
    parts: list[tuple[float, float, float]] = field(default_factory=list)  # CPU: load, plan, text and fingerprint


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description="From a save to the new plan on the screen, and to the new draft.")
    parser.add_argument("--clips", type=int, default=1_000, help="a multiple of 100")
    parser.add_argument("--rounds", type=int, default=21)
    asked = parser.parse_args(arguments)
    print(circumstances())
    with tempfile.TemporaryDirectory(prefix="clipform-") as folder:
        home = project.up_to_date(Path(folder) / "project", asked.clips)
        note("measure plans")
        sorts = _sorts(home)
        _measure(home, sorts, asked.rounds)
        note("measure drafts")
        drafts = _drafts(Path(folder) / "drafts", asked.rounds)
    print(_plans(sorts, asked.clips, asked.rounds))
    print()
    print(_ratio(drafts, asked.rounds))


def _sorts(home: Path) -> list[Sort]:
    main, shots, still = home / "clipform.yaml", home / "shots/0000.yaml", home / "stills/0000-0.png"
    texts = {path: path.read_text(encoding="utf-8") for path in (main, shots)}

    def prompt(number: int) -> None:
        shots.write_text(texts[shots].replace(project.PROMPT_TO_EDIT, f"Revision {number}"), encoding="utf-8")

    def defaults(number: int) -> None:
        main.write_text(texts[main].replace("duration: 5", f"duration: {6 + number % 3}"), encoding="utf-8")

    def picture(number: int) -> None:
        Image.new("RGB", (640, 360), (number % 256, 200, 90)).save(still)

    return [Sort("one prompt", prompt), Sort("an input picture", picture), Sort("`defaults` of all clips", defaults)]


def _measure(home: Path, sorts: Sequence[Sort], rounds: int) -> None:
    """Fill in the times. The first round is not counted."""
    warm = Workspace(home, SystemClock(), os.environ)
    warm.remember()
    for sort in sorts:
        with _watching(home) as (lines, process):
            _until(lines, "Watching." if sort is sorts[0] else "Waiting:")
            warm.plan(Choice(), warm.load())
            for number in range(rounds + 1):
                sort.watched.append(_timed(process, lines, "Waiting:", partial(sort.save, number)))
                sort.parts.append(_parts(warm))
                sort.fresh.append(_fresh(home))
        for times in (sort.watched, sort.parts, sort.fresh):
            del times[0]


def _timed(process: int, lines: IO[str], text: str, save: Callable[[], object]) -> Times:
    """Measure from a save until the watch prints `text`."""
    cpu, began = _cpu(process), time.perf_counter()
    save()
    _until(lines, text)
    return time.perf_counter() - began, _cpu(process) - cpu


def _cpu(process: int) -> float:
    """Return the CPU seconds of a running process with all of its threads (Linux)."""
    tasks = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def _fresh(home: Path) -> Times:
    cpu, began = time.process_time(), time.perf_counter()
    workspace = Workspace(home, SystemClock(), os.environ)
    fingerprint(workspace.plan(Choice(), workspace.load()).plan)
    return time.perf_counter() - began, time.process_time() - cpu


def _parts(warm: Workspace) -> tuple[float, float, float]:
    from reconciler.views.terminal.plan import render
    from reconciler.views.terminal.style import Style

    marks = [time.process_time()]
    loaded = warm.load()
    marks.append(time.process_time())
    plan = warm.plan(Choice(), loaded).plan
    marks.append(time.process_time())
    fingerprint(plan)
    "\n".join(render(plan, Style(False)))
    marks.append(time.process_time())
    return marks[1] - marks[0], marks[2] - marks[1], marks[3] - marks[2]


def _drafts(home: Path, rounds: int) -> tuple[list[Times], list[Times]]:
    """Return the times of the watch, and of the bare render of the same scenes in this process."""
    home.mkdir()
    spec, out = home / "clipform.yaml", home / "bare.mp4"
    spec.write_text(_SHOTS, encoding="utf-8")
    watched: list[Times] = []
    bare: list[Times] = []
    with _watching(home, "--draft") as (lines, process):
        _until(lines, "Watching.")
        for number in range(rounds + 1):
            prompt = _SHOTS.replace("harbour 1", f"harbour revision {number}")
            watched.append(_timed(process, lines, "Watching.", partial(spec.write_text, prompt, encoding="utf-8")))
            loaded = Workspace(home, SystemClock(), {}).load(draft=True)
            job = jobs.build(loaded.by_ident["shot-1", 1], {}, seed=None, marker="benchmark")
            body = loaded.dialects["draft"].submit(job).body
            cpu, began = time.process_time(), time.perf_counter()
            render_job(body, str(out), None, progress=lambda done, of: None)
            bare.append((time.perf_counter() - began, time.process_time() - cpu))
    return watched[1:], bare[1:]


@contextmanager
def _watching(home: Path, *options: str) -> Iterator[tuple[IO[str], int]]:
    command = clipform("--no-color", "watch", *options)
    with subprocess.Popen(
        command, cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        assert child.stdout is not None
        try:
            yield child.stdout, child.pid
        finally:
            child.terminate()


def _until(lines: IO[str], text: str) -> None:
    """Read until a line holds a text. Raises RuntimeError when the watch has ended."""
    for line in lines:
        if text in line:
            return
    raise RuntimeError("the watch has ended")


def _plans(sorts: Sequence[Sort], clips: int, rounds: int) -> str:
    def cells(times: Sequence[Times], waits: bool) -> list[str]:
        wall, cpu = zip(*times, strict=True)
        least, most = (_ms(median(wall) - steps * QUIET_MS / 1000) for steps in (2, 1))
        return [f"{_ms(median(wall))} (best {_ms(min(wall))})", f"{least} to {most}" if waits else "", _ms(median(cpu))]

    wall = ["wall, from the save", f"without {QUIET_MS} to {2 * QUIET_MS} ms of waiting for its end"]
    cpu = ["CPU", "÷ fresh, CPU", "load + plan + text, CPU"]
    heads = [f"{clips:,} clips, {rounds} edits of each sort", *wall, *cpu]
    rows = []
    for sort in sorts:
        ratio = median(cpu for _, cpu in sort.watched) / median(cpu for _, cpu in sort.fresh)
        parts = " + ".join(_ms(median(part)) for part in zip(*sort.parts, strict=True))
        rows.append(
            [f"{sort.name}: save to plan on the screen", *cells(sort.watched, waits=True), f"{ratio:.2f}", parts]
        )
        rows.append([f"{sort.name}: a look that remembers nothing", *cells(sort.fresh, waits=False), "1", ""])
    return table(heads, rows)


def _ratio(times: tuple[list[Times], list[Times]], rounds: int) -> str:
    watched, bare = ([wall for wall, _ in times] for times in times)
    cpu = median(cpu for _, cpu in times[1])
    over = median(a / b for a, b in zip(watched, bare, strict=True))
    return table(
        [f"one clip of four, 480p, 5 s, {rounds} edits", "wall", "÷ bare"],
        [
            ["save to the new draft in place", f"{median(watched):.2f} s (best {min(watched):.2f} s)", f"{over:.2f}"],
            [f"the bare render ({cpu:.2f} s CPU)", f"{median(bare):.2f} s (best {min(bare):.2f} s)", "1"],
        ],
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


if __name__ == "__main__":
    main()
