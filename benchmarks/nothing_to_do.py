"""Measures the time to find that nothing needs to be done, for 100, 1,000 and 10,000 clips.

    uv run python -m benchmarks.nothing_to_do [--sizes 100 1000 10000] [--rounds 5]

Whole processes; each round runs every size in turn with its baselines: bare Python, and GNU make on as many targets
that are up to date. The last columns say how cost grows from the second size to the third.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks import project
from benchmarks.kit import Case, Timings, circumstances, clipform, measure, note, python, run, table

PYTHON = "`python -c pass`"
MAKE = "`make`, nothing to do"
STEEP = 12.0
"""Ten times the clips may cost ten times as much; a larger factor is flagged."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description="Measure the time to find that nothing needs to be done.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000, 10_000], help="multiples of 100")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args(arguments)
    print(circumstances())
    with tempfile.TemporaryDirectory(prefix="clipform-") as folder:
        cases: dict[tuple[int, str], Case] = {}
        for size in sorted(asked.sizes):
            cases |= {(size, case.name): case for case in _cases(Path(folder) / str(size), size)}
        note("measure")
        measured = measure(cases, asked.rounds)
    print(f"Medians of {asked.rounds} rounds.\n\n### Wall time\n")
    print(_table(_by_size(measured, lambda timings: timings.wall), growing=False))
    print("\n### CPU time\n")
    print(_table(_by_size(measured, lambda timings: timings.cpu), growing=True))


def _by_size(
    measured: Mapping[tuple[int, str], Timings], chosen: Callable[[Timings], Sequence[float]]
) -> dict[int, dict[str, float]]:
    medians: dict[int, dict[str, float]] = {}
    for (size, name), timings in measured.items():
        medians.setdefault(size, {})[name] = median(chosen(timings))
    return medians


def _cases(folder: Path, size: int) -> list[Case]:
    home, targets = project.up_to_date(folder / "project", size), folder / "make"
    cases = [
        Case(PYTHON, python("-c", "pass"), home),
        Case("`clipform --version`", clipform("--version"), home),
        Case("`clipform --help`", clipform("--help"), home),
        Case("`clipform validate`", clipform("validate"), home),
        Case("`clipform plan`, nothing to do", clipform("plan", "--detailed-exitcode"), home),
        Case("`clipform status`", clipform("status"), home),
        Case("`clipform apply --yes`, nothing to do", clipform("apply", "--yes"), home),
    ]
    if shutil.which("make"):
        _write_makefile(targets, size)
        cases.append(Case(MAKE, ("make", "-s"), targets))  # the first, uncounted round makes the targets
    shots = home / "shots" / "0000.yaml"
    original = shots.read_text(encoding="utf-8")

    def edit() -> None:
        shots.write_text(original.replace(project.PROMPT_TO_EDIT, "An edited shot"), encoding="utf-8")

    def undo() -> None:
        shots.write_text(original, encoding="utf-8")
        run("the plan after the edit was undone", clipform("plan", "--detailed-exitcode"), home)

    cases.append(Case("`clipform plan` after one prompt was edited", clipform("plan"), home, edit, undo))
    return cases


def _write_makefile(folder: Path, size: int) -> None:
    """Write one rule for each target, each with its own source."""
    for name in ("in", "out"):
        (folder / name).mkdir(parents=True)
    for number in range(size):
        (folder / "in" / f"{number}.txt").write_text(str(number), encoding="utf-8")
    rules = (f"out/{number}.txt: in/{number}.txt\n\tcp $< $@\n" for number in range(size))
    names = " ".join(f"out/{number}.txt" for number in range(size))
    (folder / "Makefile").write_text(f"all: {names}\n{''.join(rules)}", encoding="utf-8")


def _table(seconds: Mapping[int, Mapping[str, float]], *, growing: bool) -> str:
    """Return the table; each cell has seconds, and their ratio to bare Python, measured in the same rounds.

    Growth is given for CPU time only: wall time also grows with the load of the machine.
    """
    sizes = sorted(seconds)
    head = ["", *(f"{size:,}" for size in sizes), f"÷ make at {sizes[-1]:,}"]
    rows = []
    for name in [name for name in seconds[sizes[0]] if all(name in measured for measured in seconds.values())]:
        cells = [_cell(seconds[size][name], seconds[size][PYTHON]) for size in sizes]
        growth = _growth([seconds[size][name] for size in sizes], sizes) if growing else ()
        rows.append([name, *cells, _against_make(seconds[sizes[-1]], name), *growth])
    return table([*head, "growth", "growth above the start"] if growing else head, rows)


def _cell(seconds: float, bare: float) -> str:
    return f"{seconds:.{2 if seconds >= 0.1 else 3}f} s · {seconds / bare:.0f}×"


def _against_make(seconds: Mapping[str, float], name: str) -> str:
    make = seconds.get(MAKE)
    return "–" if make is None else f"{seconds[name] / make:.2f}"


def _growth(seconds: Sequence[float], sizes: Sequence[int]) -> tuple[str, str]:
    """Return the growth from the second size to the third: of the total, and of the part above start-up.

    The smallest size represents start-up: it is subtracted from both, and the result is scaled so that linear growth
    gives the ratio of the sizes.
    """
    if len(sizes) != 3:
        return "–", "–"
    small, middling, large = seconds
    whole = large / middling
    if large < 2 * small or middling <= small:  # independent of the number of clips
        return f"{whole:.1f}", "–"
    straight = (sizes[2] - sizes[0]) / (sizes[1] - sizes[0]) / (sizes[2] / sizes[1])
    return _flagged(whole), _flagged((large - small) / (middling - small) / straight)


def _flagged(growth: float) -> str:
    return f"**{growth:.1f}** superlinear" if growth > STEEP else f"{growth:.1f}"


if __name__ == "__main__":
    main()
