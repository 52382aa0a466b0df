"""`python -m tests.reliability.mutants [--part NAME] [--sample N] [--seed S] [--write]`: do the tests notice a mistake?

Each mistake of `mistakes` is put into a copy of the repository, one at a time, and the nearest tests are run until one
fails: then the mistake is killed. A survivor is a line that could be wrong without a test that fails. `modules.yaml`
names the modules and their tests. `--write` rewrites what `benchmarks/MUTANTS.md` has of these parts.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import hypothesis
import pytest
import typer
import yaml
from PIL import Image

from tests.reliability.__main__ import at_commit
from tests.reliability.mutants.mistakes import Mutant, mutants

ROOT = Path(__file__).parents[3]
REPORT = ROOT / "benchmarks" / "MUTANTS.md"
PARTS: dict[str, dict[str, list[str]]] = yaml.safe_load(Path(__file__).with_name("modules.yaml").read_text("utf-8"))
OUTPUT = "output-of-the-tests.txt"
_SURVIVORS = "Survivors, the code of the module and the mistake in its place:"
SHARED = (httpx, hypothesis, typer, Image)
"""Loaded before any process is forked, so that none has to."""


@dataclass
class Result:
    """What became of the mistakes in the modules of a part."""

    tried: int = 0
    survivors: list[str] = field(default_factory=list)


def main(arguments: list[str]) -> int:
    """Try the mistakes and print what became of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.mutants", description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="only these parts of modules.yaml")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mistakes of each part, drawn by the seed")
    parser.add_argument("--seed", type=int, default=1, help="where the drawing begins (1)")
    parser.add_argument("--write", action="store_true", help="rewrite these parts of benchmarks/MUTANTS.md")
    asked = parser.parse_args(arguments)
    began, before = time.monotonic(), REPORT.read_text(encoding="utf-8") if REPORT.exists() else ""
    with tempfile.TemporaryDirectory() as folder:
        _copy(Path(folder))
        results: dict[str, Result] = {}
        for name in asked.part or PARTS:
            results[name] = _tried(Path(folder), name, asked.sample, asked.seed)
            report = report_of(results, arguments, time.monotonic() - began, before)
            if asked.write:  # after each part: the whole takes long
                REPORT.write_text(report, encoding="utf-8")
    sys.stdout.write(report)
    return 0


def _copy(folder: Path) -> None:
    """Copy what git tracks or would track."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)


def _tried(copy: Path, part: str, sample: int | None, seed: int) -> Result:
    tests = [f"tests/{path}" for path in PARTS[part]["tests"]]
    if _fails(copy, tests, trial=False):
        output = (copy / OUTPUT).read_text("utf-8", errors="replace")
        raise SystemExit(f"{part}: its tests fail without a mistake\n{output}")
    result = Result()
    for module, mutant in _drawn(part, sample, seed):
        file = copy / "reconciler" / module
        right = file.read_text("utf-8")
        file.write_text(mutant.source, encoding="utf-8")
        for compiled in file.parent.glob(f"__pycache__/{file.stem}.*"):
            compiled.unlink()
        result.tried += 1
        if not _fails(copy, tests, trial=True):
            result.survivors.append(f"`{module}:{mutant.line}` `{mutant.before}` → `{mutant.after}`")
            sys.stderr.write(f"survived: {result.survivors[-1]}\n")
        file.write_text(right, encoding="utf-8")
    sys.stderr.write(f"{part}: {result.tried - len(result.survivors)} of {result.tried} killed\n")
    return result


def _drawn(part: str, sample: int | None, seed: int) -> Iterator[tuple[str, Mutant]]:
    """Yield mistakes in the order of their lines: all, or as many as asked for."""
    modules = PARTS[part]["modules"]
    every = [(name, m) for name in modules for m in mutants((ROOT / "reconciler" / name).read_text("utf-8"))]
    chosen = sorted(random.Random(seed).sample(range(len(every)), min(sample or len(every), len(every))))
    return (every[index] for index in chosen)


def _fails(copy: Path, tests: list[str], *, trial: bool) -> bool:
    """Run the tests in a process that has loaded what they share, and stop at the first that fails."""
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            code = _child(copy, tests, trial=trial)
        except BaseException:  # noqa: BLE001  # whatever it is, this process ends here and is not a second parent
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0


def _child(copy: Path, tests: list[str], *, trial: bool) -> int:
    for stream, path in ((0, os.devnull), (1, copy / OUTPUT), (2, copy / OUTPUT)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND), stream)
    os.setsid()
    os.chdir(copy)
    os.environ["PYTHONPATH"] = str(copy)
    sys.dont_write_bytecode = trial  # the compiled form of a mistake must not outlive it
    sys.path[0] = str(copy)
    for name in [name for name in sys.modules if name.split(".")[0] in ("tests", "reconciler")]:
        del sys.modules[name]
    loaded = "ignore::pytest.PytestAssertRewriteWarning"  # hypothesis, which asserts nothing for us
    return int(pytest.main(["-x", "-q", "-n0", "-p", "no:cacheprovider", "-W", loaded, *tests]))


def report_of(results: dict[str, Result], arguments: list[str], took: float, before: str) -> str:
    """Return the report of a run; what the report `before` it has of other parts stays."""
    command = " ".join(["python -m tests.reliability.mutants", *arguments])
    rows, runs, survivors = _parsed(before)
    for name, each in results.items():
        modules = ", ".join(f"`{module}`" for module in PARTS[name]["modules"])
        killed = each.tried - len(each.survivors)
        rows[name] = f"| {name} | {modules} | {each.tried} | {killed} | {killed / max(1, each.tried):.0%} |"
        runs[name] = f"- {name}: `{command}`, {at_commit(took)}."
        survivors[name] = [f"- {text}" for text in each.survivors]
    parts = [name for name in PARTS if name in rows]
    lists = [line for name in parts for line in survivors.get(name, [])]
    head = ["| part | modules | mistakes | killed | |", "| --- | --- | --: | --: | --: |"]
    texts = [
        "# Mutants: do the tests notice a mistake?\n",
        "Small mistakes are put into the modules that money depends on, one at a time, and the nearest tests are run.\n"
        "Nothing here is written by hand. Made by\n",
        "\n".join(runs[name] for name in parts) + "\n",
        "\n".join([*head, *(rows[name] for name in parts)]) + "\n",
        *([f"{_SURVIVORS}\n", "\n".join(lists) + "\n"] if lists else []),
    ]
    return "\n".join(texts)


def _parsed(report: str) -> tuple[dict[str, str], dict[str, str], dict[str, list[str]]]:
    """Return the row, the run and the survivors of each part in a report."""
    rows = {name: line for name in PARTS for line in report.splitlines() if line.startswith(f"| {name} |")}
    runs = {name: line for name in PARTS for line in report.splitlines() if line.startswith(f"- {name}: ")}
    parts = {module: name for name, part in PARTS.items() for module in part["modules"]}
    survivors: dict[str, list[str]] = {}
    for line in report.partition(_SURVIVORS)[2].splitlines():
        if line.startswith("- "):
            survivors.setdefault(parts[line.partition("`")[2].partition(":")[0]], []).append(line)
    return rows, runs, survivors


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
