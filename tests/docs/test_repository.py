"""What the repository says of itself: its commands, its version, what it exports, the size of its files."""

from __future__ import annotations

import re
import tomllib

import pytest

import reconciler
from reconciler.cli.app import main
from reconciler.project.scan import DiskFiles
from tests.docs.pages import DOCS, ROOT, read
from tests.program.commands import every_command

README = read(ROOT / "README.md")
CLI = read(DOCS / "reference/cli.md")
FILES = [*(ROOT / "reconciler/cli/commands").glob("[a-z]*.py"), *(ROOT / "reconciler/cli/commands").glob("*/[a-z]*.py")]
COMMANDS = sorted(
    f"{path.parent.name} {path.stem}".removeprefix("commands ").rstrip("_").replace("_", "-") for path in FILES
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_in_the_documents_and_its_help_names_its_exit_codes(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"## clipform {command}\n" in CLI
    assert main([*command.split(), "--help"]) == 0
    assert "Exit code" in capsys.readouterr().out


def test_every_command_file_is_a_command() -> None:
    assert list(every_command()) == COMMANDS


def test_the_commands_for_newcomers_are_the_ones_that_ci_runs_from_the_lock_file() -> None:
    makefile = read(ROOT / "Makefile")
    assert "exec make check;" in read(ROOT / ".ci/run")
    for target in ("demo", "test", "check", "docs"):
        assert f"\n{target}:" in makefile and f"make {target}" in README
    assert "clipform -C examples/quickstart apply --yes" in makefile
    assert "\n\t@sh .ci/test check\n" in makefile and "python -m tests" in read(ROOT / ".ci/test")
    assert "UV_FROZEN=1" in read(ROOT / ".ci/test") and makefile.count('"$$uv" run') == makefile.count(
        '"$$uv" run --frozen'
    )
    assert DiskFiles(ROOT / "examples/quickstart").read("clipform.yaml")


def test_the_figures_of_reliability_are_those_of_the_last_long_run() -> None:
    report = read(ROOT / "benchmarks/RELIABILITY.md")
    [sentence] = re.findall(r"^\*\*[\d,]+ scenarios, .*$", report, re.MULTILINE)
    assert sentence in " ".join(README.split())
    assert "**missed**" not in report and "--long" in report


def test_the_version_is_one_and_the_changelog_has_it() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert reconciler.__version__ == version
    assert f"## {version}" in read(ROOT / "CHANGELOG.md")
    assert f"clipform-{version}-py3-none-any.whl" in README


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
