"""Every command of the program; one in a group has the name of the group before its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import typer

from reconciler.cli.command_line import build


def every_command() -> dict[str, Callable[..., Any]]:
    """The function of each, in alphabetical order."""
    return dict(sorted(_of(build(), "")))


def _of(app: typer.Typer, group: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for command in app.registered_commands:
        assert command.callback is not None
        yield f"{group}{command.name}", command.callback
    for inner in app.registered_groups:
        assert inner.typer_instance is not None
        yield from _of(inner.typer_instance, f"{group}{inner.name} ")
