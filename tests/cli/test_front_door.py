"""The front door answers as the program does, byte for byte, and loads nothing for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from reconciler import __main__ as front
from reconciler.cli import app
from reconciler.cli.shells import VARIABLE

ANSWERED = [["--version"], ["--help"], ["-h"], []]
LEFT_TO_THE_PROGRAM = [
    ["--version", "--json"],
    ["--json", "--help"],
    ["plan", "--help"],
    ["--helpless"],
    ["help"],
    ["--"],
    [""],
    ["-C"],
    ["plan"],
    ["-C", "film", "plan"],
]
BREAKS = " \t\n\"'><=;|&(:"
TAB = [
    ("zsh", [""]),
    ("zsh", ["p"]),
    ("fish", ["import"]),
    ("fish", ["nothing"]),
    ("", ["a"]),
    ("bash", ["clipform ", BREAKS]),
    ("bash", ["clipform r", BREAKS]),
    ("bash", ["/usr/bin/clipform s", ""]),
]
TAB_LEFT = [
    ("zsh", []),
    ("zsh", ["--v"]),
    ("zsh", ["plan", ""]),
    ("zsh", ["-C", "p"]),
    ("zsh", ["pl\xe4"]),
    ("bash", ["clipform plan ", BREAKS]),
    ("bash", ["clipform  p", BREAKS]),
    ("bash", ["clipform 'p", BREAKS]),
    ("bash", ["'clipform p", BREAKS]),
    ("bash", ["clipform\tx p", BREAKS]),
    ("bash", ["clipform pl", "l"]),
    ("bash", ["clipform p"]),
]


class Door:
    """Both paths, with what they write to the standard streams."""

    def __init__(self, captured: pytest.CaptureFixture[bytes]) -> None:
        self._captured = captured

    def front(self, line: Sequence[str]) -> tuple[int | None, bytes, bytes]:
        code = front._answer(list(line))
        return (code, *self._captured.readouterr())

    def program(self, line: Sequence[str]) -> tuple[int | None, bytes, bytes]:
        code = app.main(line)
        return (code, *self._captured.readouterr())


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Door:
    monkeypatch.chdir(tmp_path)
    return Door(capfdbinary)


@pytest.mark.parametrize("columns", ["", "250"])
@pytest.mark.parametrize("line", ANSWERED, ids=" ".join)
def test_both_paths_write_the_same(line: list[str], columns: str, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert door.front(line) == door.program(line)


@pytest.mark.parametrize(("shell", "line"), TAB)
def test_both_paths_complete_a_command_s_name_the_same(
    shell: str, line: list[str], door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, shell)
    assert door.front(line) == door.program(line)


@pytest.mark.parametrize(("shell", "line"), TAB_LEFT)
def test_other_completions_are_left_to_the_program(
    shell: str, line: list[str], door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, shell)
    assert door.front(line) == (None, b"", b"")


@pytest.mark.parametrize("line", LEFT_TO_THE_PROGRAM, ids=" ".join)
def test_other_lines_are_left_to_the_program(line: list[str], door: Door) -> None:
    assert door.front(line) == (None, b"", b"")


@pytest.mark.parametrize("columns", ["0", "79", "81", "99", "1_00", "many"])
def test_another_width_is_left_to_the_program(columns: str, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert front._columns() in (0, shutil.get_terminal_size().columns)
    assert door.front(["--help"]) == (None, b"", b"")


def test_a_text_that_cannot_be_written_is_reported_by_the_program() -> None:
    command = [sys.executable, "-m", "reconciler", "--version"]
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=100)
    assert (ended.returncode, ended.stderr) == (1, b"error: cannot write the output: No space left on device\n")


RUN = """\
import gc, sys
before = set(sys.modules)
from reconciler.__main__ import _answer
code = _answer(sys.argv[1:])
print(*sorted(set(sys.modules) - before), code, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("environment", "line"), [({}, ["--version"]), ({}, ["--help"]), ({VARIABLE: "zsh"}, ["pl"])], ids=str
)
def test_an_answer_loads_no_module(environment: dict[str, str], line: list[str]) -> None:
    command = [sys.executable, "-c", RUN, *line]
    ended = subprocess.run(command, env={**environment, "LC_ALL": "C.UTF-8"}, capture_output=True, timeout=100)
    assert ended.stderr.split() == [b"reconciler", b"reconciler.__main__", b"0"]
