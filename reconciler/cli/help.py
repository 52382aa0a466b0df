"""The list of commands in `clipform --help`, in groups; no line is cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer.core

GROUPS = {
    "Everyday": "init validate fmt plan apply watch status show retake pick freeze thaw undo destroy gc",
    "Review": "ui serve report export history cost graph inspect approve disapprove approve-plan",
    "Team": "push pull state worker",
    "When something is stuck": "doctor resolve cancel import fetch verify recover",
    "Setup": "models prices explain schema emulate conform trust completion mcp",
}
OTHER = "More"
"""The group of a command that is in no other."""


class GroupedHelp(typer.core.TyperGroup):
    """The program's help: its commands by what people want to do, each with its first sentence."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the groups."""
        for title, names in _grouped(self.list_commands(ctx)):
            rows = [(name, _first_sentence(self.commands[name].help or "")) for name in names]
            with formatter.section(title):
                formatter.write_dl(rows)


class WholeHelp(typer.core.TyperGroup):
    """The help of a group of commands: each with its first sentence, which is not cut."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_sentence(self.commands[name].help or "")) for name in self.commands])


def _grouped(commands: list[str]) -> Iterator[tuple[str, list[str]]]:
    listed = {name for names in GROUPS.values() for name in names.split()}
    for title, names in [*GROUPS.items(), (OTHER, " ".join(name for name in commands if name not in listed))]:
        if present := [name for name in names.split() if name in commands]:
            yield title, present


def _first_sentence(text: str) -> str:
    first, stop, _ = " ".join(text.split()).partition(". ")
    return first + stop.strip()
