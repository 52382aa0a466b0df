"""Help that can be read: commands in groups, no line cut at 80 columns, every field in one list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.cli.app import main
from reconciler.cli.help import GROUPS, OTHER
from reconciler.spec.schema import json_schema
from tests.program.commands import every_command

COMMANDS = {name: run.__doc__ or "" for name, run in every_command().items()}


def output(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("columns", [80, 120])
def test_help_names_each_command_in_one_group_and_cuts_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = output(capsys, "--help")
    assert max(map(len, text.splitlines())) <= columns
    assert "..." not in text.partition("Options:\n")[2]
    assert f"{OTHER}:" not in text and all(f"\n{title}:\n" in text for title in GROUPS)
    flat = " ".join(text.split())
    assert [
        name for name, help in COMMANDS.items() if " " not in name and f" {name} {help.partition('.')[0]}" not in flat
    ] == []
    lines = text.partition("Everyday:")[2].splitlines()
    names = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]
    assert sorted(names) == sorted({name.partition(" ")[0] for name in COMMANDS})


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_fits_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = output(capsys, *name.split(), "--help")
    assert max(map(len, text.splitlines())) <= 80
    assert "..." not in text.partition("\n")[2].replace("[CLIP]...", "").replace("FILE|DIR...", "")


def properties(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from properties(part)


def test_explain_alone_lists_every_field_with_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, "explain").splitlines()
    names = [line.split()[0] for line in lines if line.startswith("  ")]
    assert set(names) == set(properties(json_schema()))
    assert all(len(line.split()) > 1 for line in lines if line.startswith("  "))


@pytest.mark.parametrize("name", ["clips", "references", "prices", "providers.prices", "budget"])
def test_a_map_is_explained_with_a_line_for_each_of_its_fields(capsys: pytest.CaptureFixture[str], name: str) -> None:
    text = output(capsys, "explain", name)
    fields = [line.split()[0] for line in text.partition("fields of")[2].splitlines()[1:]]
    expected = {"clips": "prompt", "references": "audios", "budget": "total"}.get(name, "per_second")
    assert expected in fields
