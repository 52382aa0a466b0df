"""How a process ends: after an answer or a command that only reads, the system frees its memory. Nothing is skipped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.options import only_reads
from tests.cli.in_process import clipform

WATCHED = """\
import atexit, gc, os, sys

class Freed:
    def __del__(self, write=os.write):
        write(2, b"freed")

sys.freed = Freed()
atexit.register(lambda: os.write(2, b"exit, collector on; " if gc.isenabled() else b"exit, collector off; "))
from reconciler.__main__ import main
sys.exit(main())
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    clips = "".join(f"  s{n}: {{prompt: mist {n}}}\n" for n in range(300))  # more than a pipe's buffer holds
    (tmp_path / "clipform.yaml").write_text(f"version: 1\nclips:\n{clips}", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code", "end"),
    [
        (["plan"], 0, b"exit, collector off; "),
        (["plan", "--detailed-exitcode"], 2, b"exit, collector off; "),
        (["status"], 0, b"exit, collector off; "),
        (["--version"], 0, b"exit, collector off; "),
        (["explain", "clips"], 0, b"exit, collector on; freed"),
    ],
    ids=str,
)
def test_the_output_and_the_code_are_whole_and_exit_functions_run(
    project: Path, words: list[str], code: int, end: bytes
) -> None:
    command = [sys.executable, "-c", WATCHED, *words]
    ended = subprocess.run(command, cwd=project, capture_output=True, timeout=100)
    assert (ended.returncode, ended.stderr) == (code, end)
    assert ended.stdout.decode() == clipform(project, *words).stdout


def test_a_program_that_is_profiled_ends_as_usual(project: Path) -> None:
    command = [sys.executable, "-m", "cProfile", "-m", "reconciler", "validate"]
    ended = subprocess.run(command, cwd=project, capture_output=True, timeout=100)
    assert b"function calls" in ended.stdout


@pytest.mark.parametrize(
    "line",
    [
        ["plan", "--out", "x"],
        ["plan", "--out=x"],
        ["status", "--watch"],
        ["apply"],
        ["watch", "plan"],
        ["-C"],
        [],
        ["x"],
    ],
    ids=" ".join,
)
def test_other_commands_end_as_usual(line: list[str]) -> None:
    assert not only_reads(line)


def test_options_may_precede_a_command_that_only_reads() -> None:
    assert only_reads(["-C", "film", "--json", "validate"])
