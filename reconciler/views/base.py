"""The View protocol, and the rows that commands hand to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from reconciler.diagnostics import ClipformError, Diagnostic
from reconciler.events import Event, Summary
from reconciler.plan.model import Plan
from reconciler.project.finding import Finding
from reconciler.providers.search import Line

SHOWN = 20
"""How many diagnostics a person is shown; the rest are counted."""


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One take in `status`. Age in seconds since its artifact was made."""

    clip: str
    take: int
    picked: bool
    state: str
    detail: str = ""  # why it is as it is, and what is known
    way_out: tuple[str, ...] = ()  # commands that settle it
    progress: int | None = None
    provider: str = ""
    model: str = ""
    output: str | None = None
    cost: Decimal | None = None  # what it cost
    estimate: Decimal | None = None  # what it should cost by the price table
    currency: str = ""
    age: float | None = None
    key: str = ""
    phase: str = ""  # of a task in flight, as its record says: submitting, accepted, stalled, ready, fetched
    since: float | None = None  # seconds since it was asked for
    expected: float | None = None  # seconds that such tasks take


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One event of the log. `time` is UTC, ISO 8601."""

    sequence: int
    time: str
    clip: str
    type: str
    detail: str


@dataclass(frozen=True, slots=True)
class Section:
    """A titled group of facts, for `show` and `explain`: pairs of name and value, in order."""

    title: str
    facts: tuple[tuple[str, str], ...]


class View(Protocol):
    """How a command speaks. `emit` is also the engine's sink and never raises."""

    def diagnostics(self, items: Sequence[Diagnostic]) -> None:
        """Problems in the project's files."""

    def error(self, error: ClipformError) -> None:
        """The one reason why a command did not do its work."""

    def valid(self, clips: int, files: int, warnings: Sequence[Diagnostic]) -> None:
        """`validate` found no error."""

    def plan(self, plan: Plan) -> None:
        """A plan."""

    def emit(self, event: Event) -> None:
        """Something happened during apply."""

    def summary(self, summary: Summary) -> None:
        """How apply ended."""

    def status(self, rows: Sequence[StatusRow]) -> None:
        """`status`."""

    def follow(self, rows: Sequence[StatusRow], *, keys: bool) -> None:
        """`status --watch`: the rows as they are now; on a terminal in place of those before. `keys`: q ends it."""

    def history(self, rows: Sequence[HistoryRow]) -> None:
        """`history`."""

    def show(self, sections: Sequence[Section], data: Mapping[str, object]) -> None:
        """`show` and `explain`: the same facts as sections for people and as data for programs."""

    def models(self, lines: Sequence[Line]) -> None:
        """`models`."""

    def checks(self, items: Sequence[Finding]) -> None:
        """`doctor` and `verify`."""

    def text(self, text: str) -> None:
        """A document that is itself the result: a schema, a graph, Markdown."""

    def note(self, message: str, data: Mapping[str, object] | None = None) -> None:
        """A short result: what a small command did."""

    def close(self) -> None:
        """Put the terminal back as it was."""
