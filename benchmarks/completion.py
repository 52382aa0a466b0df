"""Measures completion (the Tab key): whole processes, as a shell's completion script starts them.

uv run python -m benchmarks.completion [--sizes 100 1000] [--rounds 9]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks import project
from benchmarks.kit import Case, circumstances, clipform, measure, note, python, table

PYTHON = "`python -c pass`"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure the cost of completion.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000], help="multiples of 100")
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args(arguments)
    print(circumstances())
    with tempfile.TemporaryDirectory(prefix="clipform-") as folder:
        cases: dict[tuple[int, str], Case] = {}
        for size in asked.sizes:
            note(f"set up {size:,} clips")
            home = Path(folder) / str(size)
            project.write(home, size)
            cases |= {(size, case.name): case for case in _cases(home)}
        note("measure")
        timings_by_case = measure(cases, asked.rounds)
    cpu = {key: median(timings.cpu) for key, timings in timings_by_case.items()}
    wall = {key: median(timings.wall) for key, timings in timings_by_case.items()}
    head = ["", *(f"{size:,} clips, {clock}" for size in asked.sizes for clock in ("CPU", "wall"))]
    rows = [
        [name, *(_cell(seconds, size, name) for size in asked.sizes for seconds in (cpu, wall))]
        for name in dict.fromkeys(name for _, name in cases)
    ]
    print(f"Medians of {asked.rounds} rounds.\n\n{table(head, rows)}")


def _cell(seconds: dict[tuple[int, str], float], size: int, name: str) -> str:
    return f"{seconds[size, name] * 1000:.0f} ms · {seconds[size, name] / seconds[size, PYTHON]:.1f}×"


def _cases(home: Path) -> list[Case]:
    return [
        Case(PYTHON, python("-c", "pass"), home),
        Case("`python -c 'import typer'`", python("-c", "import typer"), home),
        Case("`clipform pl`, Tab", _tab("pl"), home),
        Case("`clipform plan --de`, Tab", _tab("plan", "--de"), home),
        Case("`clipform plan s1-`, Tab", _tab("plan", "s1-"), home),
        Case("`clipform show`, Tab: every name", _tab("show", ""), home),
    ]


def _tab(*arguments: str) -> tuple[str, ...]:
    return ("env", "_CLIPFORM_COMPLETE=zsh", *clipform(*arguments))


if __name__ == "__main__":
    main()
