"""What is packaged beside the wheel: hooks, the action, pipelines, the image, the manual page; and Windows."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs import manual
from tests.docs.generate import COMMANDS, help_of

ROOT = Path(__file__).parents[1]
MANUAL = ROOT / "docs/man/share/man/man1/clipform.1"
PIPELINES = (
    "action.yml",
    "examples/ci/clipform.yml",
    "examples/ci/gitlab-ci.yml",
    "examples/ci/bitbucket-pipelines.yml",
)


def texts(value: Any) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(item)


def commands(script: str) -> Iterator[list[str]]:
    """The words of each `clipform …` in a script, up to a pipe or the end of its line."""
    for match in re.finditer(r"(?:^|then |\s)clipform ((?:[^|>;&\n\\]|\\\n)+)", script):
        yield shlex.split(match[1].replace("\\\n", " "))


def unknown(words: list[str]) -> list[str]:
    """What a command line names that the program does not have."""
    at = next((i for i, word in enumerate(words) if word in COMMANDS), None)
    if at is None:
        return words
    help = help_of() + help_of(words[at])
    options = [word.partition("=")[0] for word in words if word.startswith("-")]
    return [option for option in options if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", help)]


@pytest.mark.parametrize("file", [*PIPELINES, ".pre-commit-hooks.yaml"])
def test_each_command_line_that_is_shipped_exists(file: str) -> None:
    document = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
    lines = [words for text in texts(document) for words in commands(text) if set(words) & {*COMMANDS}]
    assert len(lines) >= 2
    assert [words for words in lines if unknown(words)] == []


@pytest.mark.parametrize("words", [["plan", "--nonsense"], ["frobnicate"], ["--jsonx", "plan"]])
def test_a_line_that_does_not_exist_is_noticed(words: list[str]) -> None:
    assert unknown(words)


@pytest.mark.parametrize("file", PIPELINES)
def test_no_pipeline_is_given_a_key_or_spends_by_itself(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert "secrets." not in text and "API_KEY" not in text
    for words in commands(text):
        assert "apply" not in words or "--locked" in words or words[-1] == "$PLAN_FILE", words


def test_every_check_runs_on_each_system_and_the_oldest_python() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    job, project = workflow["jobs"]["test"], tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert job["strategy"]["matrix"]["os"] == ["ubuntu-latest", "macos-latest"]
    assert project["project"]["requires-python"] == f">={job['strategy']['matrix']['python'][0]}"
    assert job["steps"][-1]["run"] == "bash .ci/run"


def test_the_image_runs_as_nobody_in_particular_and_copies_what_exists() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    stages = [line for line in lines if line.startswith("FROM ")]
    final = lines[lines.index(stages[-1]) :]
    assert len(stages) == 2 and any(line.startswith("USER clipform") for line in final)
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            assert all((ROOT / name).exists() for name in line.split()[1:-1]), line
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = [
        name for line in lines if line.startswith("COPY ") and "--from" not in line for name in line.split()[1:-1]
    ]
    assert {f"!{name}" for name in copied} <= {*ignored}


def test_the_manual_page_is_the_help(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update"):
        MANUAL.parent.mkdir(parents=True, exist_ok=True)
        MANUAL.write_text(manual.page(), encoding="utf-8")
    assert MANUAL.read_text(encoding="utf-8") == manual.page(), "run pytest tests/test_packages.py --update"
    assert manual._escaped("--max-cost \\ .x") == r"\-\-max\-cost \e .x" and manual._escaped(".TH") == r"\&.TH"


def test_windows_is_refused_in_words() -> None:
    script = "import sys; sys.platform, sys.argv = 'win32', ['clipform', 'plan']; import reconciler.__main__ as program"
    code = f"{script}; sys.exit(program.main())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "WSL" in done.stderr and "Traceback" not in done.stderr
