"""A module that is imported when one of its names is used."""

from __future__ import annotations

from importlib import import_module


class DeferredModule:
    """A module as annotations name it: only typer reads those, and a command may run without it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self._name), name)
