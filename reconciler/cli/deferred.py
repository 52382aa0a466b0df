"""The modules that the annotations of a command name, imported when typer reads these: some commands run without it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING


class _DeferredModule:
    """A module that is imported when one of its names is used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self._name), name)


if TYPE_CHECKING:
    import typer as typer

    from reconciler.cli import arguments as arguments
else:
    typer = _DeferredModule("typer")
    arguments = _DeferredModule("reconciler.cli.arguments")
