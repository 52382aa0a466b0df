"""What the documents say is what the program does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import reconciler
from reconciler.cli.app import build, main
from reconciler.project.scan import DiskFiles
from reconciler.providers.registry import BUILT_IN, dialect
from reconciler.spec.files import MemoryFiles
from reconciler.spec.load import read_project
from reconciler.views.catalogue import kinds

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(path.stem.rstrip("_") for path in (ROOT / "reconciler/cli/commands").glob("[a-z]*.py"))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_in_the_readme_and_its_help_names_its_exit_codes(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"`{command}" in README
    assert main([command, "--help"]) == 0
    assert "Exit code" in capsys.readouterr().out


def test_every_command_file_is_a_command() -> None:
    assert sorted(command.name or "" for command in build().registered_commands) == COMMANDS


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(version:.*?)```", README, re.DOTALL))
def test_the_readmes_projects_are_valid(text: str) -> None:
    assert read_project(MemoryFiles({"clipform.yaml": text})).clips


def test_the_readmes_commands_for_newcomers_are_the_ones_that_ci_runs() -> None:
    ci, makefile = ((ROOT / name).read_text(encoding="utf-8") for name in (".ci/run", "Makefile"))
    assert "make test" in ci and "sh .ci/test" in makefile and "uv run python -m tests" in README
    assert "uv run clipform -C examples/quickstart apply --yes" in README
    assert DiskFiles(ROOT / "examples/quickstart").read("clipform.yaml")


def test_the_readmes_table_of_kinds_is_the_catalogues() -> None:
    assert kinds([dialect(kind) for kind in BUILT_IN]) in README


def test_the_readmes_figures_of_reliability_are_those_of_the_last_long_run() -> None:
    report = (ROOT / "benchmarks/RELIABILITY.md").read_text(encoding="utf-8")
    [found] = re.findall(r"^\*\*[\d,]+ scenarios, .*$", report, re.MULTILINE)
    assert found in README
    assert "**missed**" not in report and "--long" in report


def test_the_version_is_one_and_the_changelog_has_it() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert reconciler.__version__ == version
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_exported_names_exist_and_nothing_else_is_promised() -> None:
    assert reconciler.__all__ == sorted(reconciler.__all__)
    for name in reconciler.__all__:
        assert getattr(reconciler, name) is not None
    with pytest.raises(AttributeError):
        reconciler.nonsense  # noqa: B018  # the access is the test


def test_no_file_is_longer_than_400_lines_without_a_reason_at_its_top() -> None:
    for path in sorted(
        file for folder in ("reconciler", "tests", "benchmarks") for file in (ROOT / folder).rglob("*.py")
    ):
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > 400:
            assert "longer than 400 lines because" in text[:2000].lower(), path
