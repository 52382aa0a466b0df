"""Measures the time to find that nothing needs to be done, beside the tools that answer the same question.

    uv run python -m benchmarks.nothing_to_do [--sizes 9 1000 10000] [--rounds 5] [--peers ninja make doit …]
                                              [--before CHECKOUT] [--minutes 20] [--write]

Whole processes; each round runs every size and every tool in turn with bare Python. The tools are installed into
environments of their own below `.tools/peers`. `--before` adds the commands of another checkout of clipform, with its
own environment in `.venv`, on a project that it made itself. `--write` (`make bench`) puts the tables into
`benchmarks/README.md`, and the picture beside it.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks import bars, peers, project
from benchmarks.bars import (
    APPLY,
    BARE,
    COLD,
    EDITED,
    HELP,
    JSON,
    PLAN,
    STATUS,
    TAB,
    UNSEALED,
    VALIDATE,
    VERSION,
    Medians,
)
from benchmarks.kit import SHORT_RUNS, SHORT_SECONDS, Case, Timings, circumstances, measure, note, python, run, table
from reconciler.artifacts.hashing import RACY_NS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "benchmarks" / "README.md"
PICTURE = ROOT / "benchmarks" / "nothing-to-do.svg"
SCRIPT = (str(Path(sys.executable).with_name("clipform")),)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, and write them if asked."""
    asked = _arguments(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="clipform-") as folder:
        cases: dict[tuple[int, str], Case] = {}
        programs = peers.install(asked.peers, ROOT / ".tools" / "peers")
        for size in sorted(asked.sizes):
            place = Path(folder) / str(size)
            own = _cases(project.up_to_date(place / "project", size), SCRIPT)
            if asked.before is not None and size >= 100:  # an older one may not have the small project
                own += _before(asked.before.resolve(), place / "before", size)
            own += [peers.case(peer, file, place / peer.command[0], size) for peer, file in programs.items()]
            cases |= {(size, case.name): case for case in own}
        seconds_left = 60 * asked.minutes - (time.monotonic() - began)
        note(f"measure, for at most {seconds_left / 60:.0f} minutes")
        timings = measure(cases, asked.rounds, seconds_left / 3)
    report = _report(timings, asked)
    print(report)
    if asked.write:
        from benchmarks import plot

        page = PAGE.read_text(encoding="utf-8")
        page = re.sub(r"(?s)(<!-- nothing to do -->\n).*?(<!-- end -->)", lambda m: f"{m[1]}{report}\n{m[2]}", page)
        PAGE.write_text(page, encoding="utf-8")
        plot.write(PICTURE, _medians(timings, lambda measured: measured.wall))


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the time to find that nothing needs to be done.")
    known = [peer.command[0] for peer in peers.PEERS]
    parser.add_argument("--sizes", type=int, nargs="+", default=[9, 1_000, 10_000], help="9, or multiples of 100")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", nargs="*", default=known, choices=known, metavar="TOOL")
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="another clipform, for ratios to it")
    parser.add_argument("--minutes", type=float, default=20, help="a slow tool is run in fewer rounds to end in time")
    parser.add_argument("--write", action="store_true", help="into benchmarks/README.md")
    return parser.parse_args(arguments)


def _medians(timings: Mapping[tuple[int, str], Timings], chosen: Callable[[Timings], Sequence[float]]) -> Medians:
    """Return the median of one measurement of every case."""
    return {key: median(chosen(measured)) for key, measured in timings.items()}


def _before(checkout: Path, folder: Path, size: int) -> list[Case]:
    """Return the same commands of another checkout, on a project that it made itself."""
    interpreter = str(checkout / ".venv" / "bin" / "python")
    make = (
        f"from pathlib import Path; from benchmarks import project; project.up_to_date(Path({str(folder)!r}), {size})"
    )
    run("the project of the other checkout", (interpreter, "-c", make), checkout)
    return [
        Case(bars.before(case.name), case.command, case.folder, case.set_up, case.tear_down, case.environment)
        for case in _cases(folder, (interpreter, "-m", "reconciler"))
        if case.name != BARE
    ]


def _cases(home: Path, program: tuple[str, ...]) -> list[Case]:
    shots = home / "shots" / "0000.yaml"
    original = shots.read_text(encoding="utf-8")

    def edit() -> None:
        shots.write_text(original.replace(project.PROMPT_TO_EDIT, "An edited shot"), encoding="utf-8")

    def undo() -> None:
        shots.write_text(original, encoding="utf-8")
        time.sleep(RACY_NS / 1e9)  # what changed a moment ago is not remembered
        run("the plan after the edit was undone", (*program, "plan", "--detailed-exitcode"), home)

    def unseal() -> None:
        (home / "state" / "seal").unlink(missing_ok=True)

    def forget() -> None:
        unseal()
        (home / "state" / "specs").unlink(missing_ok=True)

    def command(name: str, *arguments: str) -> Case:
        return Case(name, (*program, *arguments), home)

    def sealed(name: str, *arguments: str) -> Case:
        """Return a command that ran before: each has its own answer in the seal, which others of a round remove."""
        answered = command(name, *arguments)

        def run_once() -> None:
            answered.run()

        return Case(name, answered.command, home, run_once)

    plan = (*program, "plan", "--detailed-exitcode")
    return [
        Case(BARE, python("-c", "pass"), home),
        command(VERSION, "--version"),
        command(HELP, "--help"),
        Case(TAB, (*program, "pl"), home, environment={"_CLIPFORM_COMPLETE": "zsh"}),
        sealed(PLAN, "plan", "--detailed-exitcode"),
        sealed(VALIDATE, "validate"),
        sealed(APPLY, "apply", "--yes"),
        Case(UNSEALED, plan, home, unseal),
        Case(EDITED, (*program, "plan"), home, edit, undo),
        command(STATUS, "status"),
        command(JSON, "plan", "--json"),
        Case(COLD, plan, home, forget),
    ]


def _report(timings: Mapping[tuple[int, str], Timings], asked: argparse.Namespace) -> str:
    wall, peak = _medians(timings, lambda measured: measured.wall), _medians(timings, lambda measured: measured.peak)
    rounds = {key: len(measured.wall) for key, measured in timings.items()}
    fewer = ", ".join(f"{name} at {size:,}: {count}" for (size, name), count in rounds.items() if count < asked.rounds)
    parts = [
        circumstances(),
        f"Medians of {asked.rounds} rounds{f' ({fewer})' if fewer else ''}, wall time of whole processes; in each, what"
        f" takes less than {SHORT_SECONDS:g} s ran {SHORT_RUNS} times.\n",
        _seconds(wall, peak),
        "",
        bars.table_of(wall, peak),
    ]
    return "\n".join(parts)


def _seconds(wall: Medians, peak: Medians) -> str:
    """Return the table: seconds, their ratio to bare Python in the same rounds, growth, and memory."""
    sizes = sorted({size for size, _ in wall})
    rows = []
    for name in dict.fromkeys(name for _, name in wall):
        cells = [
            f"{wall[size, name]:.3f} s · {wall[size, name] / wall[size, BARE]:.1f}×" if (size, name) in wall else "–"
            for size in sizes
        ]
        growth = bars.exponent(wall, name, sizes)
        memory = peak.get((sizes[-1], name))
        rows.append(
            [
                name,
                *cells,
                "–" if growth is None else f"{growth:.2f}",
                "–" if memory is None else f"{memory:.0f} MiB",
            ]
        )
    return table(["", *(f"{size:,}" for size in sizes), "growth", f"memory at {sizes[-1]:,}"], rows)


if __name__ == "__main__":
    main()
