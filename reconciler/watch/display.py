"""Where a watch shows what it does: a terminal, and a page beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from reconciler.diagnostics import ClipformError
from reconciler.events import Event, Summary
from reconciler.plan.model import Plan
from reconciler.project.model import Planned


class Screen(Protocol):
    """What a watch needs of a view. `emit` and `summary` never raise: a failing output does not reach the engine."""

    def plan(self, plan: Plan) -> None:
        """A plan that is another one than the last."""

    def error(self, error: ClipformError) -> None:
        """Why something was not done."""

    def note(self, message: str, data: Mapping[str, object] | None = None) -> None:
        """A word, and the same for programs."""

    def emit(self, event: Event) -> None:
        """Something happened during an apply."""

    def summary(self, summary: Summary) -> None:
        """How an apply ended."""

    def close(self) -> None:
        """Put the terminal back as it was."""


class Page(Screen, Protocol):
    """A screen that shows everything there is, and not only what is new."""

    def looked(self, planned: Planned) -> None:
        """Everything as it is now."""

    def edited(self) -> None:
        """Something was saved during an apply that is left to finish: we look at it afterwards, a page may look now."""

    def broken(self, error: ClipformError) -> None:
        """The project cannot be read; what was looked at before is what is known."""


class Screens:
    """Several as one: all are told the same, in the same order."""

    def __init__(self, *screens: Screen) -> None:
        self.screens = screens

    def plan(self, plan: Plan) -> None:
        """A plan that is another one than the last."""
        for screen in self.screens:
            screen.plan(plan)

    def error(self, error: ClipformError) -> None:
        """Why something was not done."""
        for screen in self.screens:
            screen.error(error)

    def note(self, message: str, data: Mapping[str, object] | None = None) -> None:
        """A word, and the same for programs."""
        for screen in self.screens:
            screen.note(message, data)

    def emit(self, event: Event) -> None:
        """Something happened during an apply."""
        for screen in self.screens:
            screen.emit(event)

    def summary(self, summary: Summary) -> None:
        """How an apply ended."""
        for screen in self.screens:
            screen.summary(summary)

    def close(self) -> None:
        """Put the terminal back as it was."""
        for screen in self.screens:
            screen.close()
