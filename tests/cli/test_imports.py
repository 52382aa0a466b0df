"""What a command may not load: each of these costs more than the rest of the start together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "PIL",
    "asyncio",
    "av",
    "httpx",
    "jinja2",
    "pydantic",
    "rich",
    "sqlite_utils",
    "starlette",
    "watchfiles",
    "yaml",
}

SPEC = """\
version: 1
defaults: {duration: 1, resolution: 480p, ratio: 1:1}
clips:
  sunrise: {prompt: mist at sunrise}
  valley: {prompt: the mist lifts, first_frame: "${clips.sunrise.last_frame}"}
"""

RUN = """\
import sys
from reconciler.cli.app import main
main(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
"""


def modules(folder: Path, *arguments: str) -> list[str]:
    """All modules that one command line loads."""
    command = [sys.executable, "-c", RUN, "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stderr.split("\n")[-2].split()


def loaded(folder: Path, *arguments: str) -> set[str]:
    """The heavy packages that one command line loads."""
    return HEAVY & {name.partition(".")[0] for name in modules(folder, *arguments)}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "clipform.yaml").write_text(SPEC, encoding="utf-8")
    return tmp_path


def test_a_command_loads_no_other_command(project: Path) -> None:
    prefix = "reconciler.cli.commands."
    assert [name for name in modules(project, "gc", "--help") if name.startswith(prefix)] == [f"{prefix}gc"]


def test_help_loads_nothing_heavy(project: Path) -> None:
    assert loaded(project, "--help") == set()


@pytest.mark.parametrize("command", ["plan", "apply", "gc"])
def test_help_of_a_command_loads_what_typer_reads_options_with_and_nothing_else(project: Path, command: str) -> None:
    assert loaded(project, command, "--help") <= {"pydantic"}


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_looking_needs_the_spec_s_types_and_nothing_heavier(project: Path, command: str) -> None:
    assert loaded(project, command) == {"pydantic", "yaml"}


def test_a_state_is_made_and_opened_without_the_library_that_migrates(project: Path) -> None:
    assert "sqlite_utils" not in loaded(project, "plan", "--out", "saved.plan")  # makes the state
    assert (project / "state" / "clipform.db").exists()
    assert loaded(project, "plan") == {"pydantic", "yaml"}
    assert "rich" not in loaded(project, "plan", "--markdown")


@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"], ["gc", "--yes"], ["status"], ["state", "list"]])
def test_a_project_without_a_shared_state_loads_nothing_of_it(project: Path, command: list[str]) -> None:
    names = {"reconciler.state.shared", "reconciler.state.shared_schema", "reconciler.state.carry"}
    heavy = {"psycopg", "reconciler.state.sql.postgres", "reconciler.engine.operations.shared_state"}
    assert [name for name in modules(project, *command) if name in names | heavy] == []


@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"], ["gc", "--yes"]])
def test_a_project_that_shares_nothing_loads_nothing_of_that(project: Path, command: list[str]) -> None:
    names = {"reconciler.artifacts.shelf", "reconciler.engine.run.shared_cache", "reconciler.state.shared"}
    names |= {"reconciler.state.leases", "reconciler.state.sql.postgres"}
    assert [
        name for name in modules(project, *command) if name in names or name.startswith(("obstore", "psycopg"))
    ] == []


@pytest.mark.parametrize("words", [["plan"], ["models"], ["emulate", "--list-faults"]], ids=" ".join)
def test_the_contract_suite_is_loaded_only_to_check_a_kind(words: list[str], project: Path) -> None:
    assert [name for name in modules(project, *words) if name.startswith("reconciler.conform")] == []
