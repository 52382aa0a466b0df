"""The reference is whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest

import reconciler
from reconciler.cli.app import main
from reconciler.cli.completion import answer
from reconciler.providers.base import MediaLimits, Model
from tests.docs.generate import COMMANDS
from tests.docs.pages import DOCS, read


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_its_section_in_the_reference(command: str) -> None:
    assert f"\n## clipform {command}\n" in read(DOCS / "reference/cli.md")


def test_every_field_of_a_model_is_in_the_page_about_settings() -> None:
    page = read(DOCS / "reference/settings.md")
    internal = {"name", "defaults_v1", "stem"}  # `models:` cannot set them
    missing = [field.name for shape in (Model, MediaLimits) for field in fields(shape) if f"`{field.name}`" not in page]
    assert set(missing) <= internal


@pytest.mark.parametrize("columns", [80, 100])
def test_the_packaged_help_is_the_one_of_the_program(
    columns: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["--help"]) == 0
    _compare({f"help-{columns}.txt": capsys.readouterr().out}, update=request.config.getoption("--update"))


def test_the_packaged_names_for_completion_are_those_of_the_program(request: pytest.FixtureRequest) -> None:
    lines = [f"{name}\t{about}\n" for name, about in answer([""]).candidates]
    _compare({"commands.txt": "".join(lines)}, update=request.config.getoption("--update"))


def _compare(texts: Mapping[str, str], *, update: bool) -> None:
    """Compare packaged texts with what the program writes."""
    for name, text in texts.items():
        path = Path(reconciler.__file__).parent / "cli/front" / name
        if update:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text.isascii()
        assert path.read_text(encoding="utf-8") == text, "run pytest tests/docs/test_reference.py --update"
