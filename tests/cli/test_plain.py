"""A command without words of its own runs without typer, and nothing tells the two ways apart."""

from __future__ import annotations

import inspect
import subprocess
import sys
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import app, command_line
from reconciler.cli.context import Context
from reconciler.cli.options import Options

SPEC = "version: 1\nclips: {sunrise: {prompt: mist at sunrise}}\n"


@pytest.mark.parametrize("name", sorted(app._PLAIN))
def test_a_plain_command_gets_what_typer_would_pass(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, calls = import_module(f"reconciler.cli.commands.{name}"), list[dict[str, Any]]()
    signature = inspect.signature(module.run)

    @wraps(module.run)
    def run(context: Any, **values: Any) -> None:
        called = signature.bind(context, **values)
        called.apply_defaults()
        calls.append({**called.arguments, "context": context.obj})

    monkeypatch.setattr(module, "run", run)
    context = Context(Options())
    assert (app._run(context, [name]), command_line.run(context, [name])) == (0, 0)
    plain, by_typer = calls
    assert plain == {**by_typer, **{word: None for word, value in by_typer.items() if value == []}}


@pytest.mark.parametrize("line", [["plan"], ["status"], ["validate"], ["--json", "plan"], ["-q", "validate"]], ids=str)
def test_the_commands_that_are_run_most_load_neither_typer_nor_the_list_of_packages(
    line: list[str], tmp_path: Path
) -> None:
    (tmp_path / "clipform.yaml").write_text(SPEC, encoding="utf-8")
    assert _modules(["-C", str(tmp_path), *line]) & {"typer", "importlib.metadata", "yaml"} == {"yaml"}


def test_a_word_of_the_command_is_left_to_typer(tmp_path: Path) -> None:
    (tmp_path / "clipform.yaml").write_text(SPEC, encoding="utf-8")
    assert _modules(["-C", str(tmp_path), "plan", "--refresh"]) & {"typer", "importlib.metadata"} == {"typer"}


def test_another_use_of_the_loader_of_plugins_gets_the_loader() -> None:
    script = "from reconciler.cli import without_plugins\nwithout_plugins.install()\n"
    script += "from pydantic.plugin._loader import PYDANTIC_ENTRY_POINT_GROUP, get_plugins\n"
    script += "print(PYDANTIC_ENTRY_POINT_GROUP)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "pydantic\n"


RUN = """\
import atexit, sys
from reconciler.__main__ import main
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
main()
"""


def _modules(line: list[str]) -> set[str]:
    """All modules that the program loads for a command line."""
    done = subprocess.run([sys.executable, "-c", RUN, *line], capture_output=True, text=True, check=True)
    return set(done.stderr.split("\n")[-2].split())
