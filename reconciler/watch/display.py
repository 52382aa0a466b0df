"""The outputs of a watch: a terminal view, and optionally a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from reconciler.diagnostics import ClipformError
from reconciler.events import Event, Summary
from reconciler.plan.model import Plan
from reconciler.project.model import Planned
from reconciler.views.base import Screen


class Page(Screen, Protocol):
    """A screen that shows all clips, not only changes."""

    def refreshed(self, planned: Planned) -> None:
        """Show a new plan."""

    def edited(self) -> None:
        """Note that a file was saved during an apply. The watch plans after the apply; a page may plan at once."""

    def broken(self, error: ClipformError) -> None:
        """Show the errors of a project that cannot be read, beside the last plan."""


class Screens:
    """Passes every call to several screens, in order."""

    def __init__(self, *screens: Screen) -> None:
        self.screens = screens

    def plan(self, plan: Plan) -> None:
        """Show a plan that differs from the last one."""
        for screen in self.screens:
            screen.plan(plan)

    def error(self, error: ClipformError) -> None:
        """Show an error."""
        for screen in self.screens:
            screen.error(error)

    def note(self, message: str, data: Mapping[str, object] | None = None) -> None:
        """Show a message; `data` is its form for programs."""
        for screen in self.screens:
            screen.note(message, data)

    def emit(self, event: Event) -> None:
        """Show an event of an apply."""
        for screen in self.screens:
            screen.emit(event)

    def summary(self, summary: Summary) -> None:
        """Show the summary of an apply."""
        for screen in self.screens:
            screen.summary(summary)

    def close(self) -> None:
        """Restore the terminal."""
        for screen in self.screens:
            screen.close()
