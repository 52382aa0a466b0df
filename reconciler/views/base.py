"""The View protocol, and the rows that commands give to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from reconciler.diagnostics import ClipformError, Diagnostic, Finding
from reconciler.events import Event, Summary
from reconciler.frozen import dataclass
from reconciler.plan.model import Plan
from reconciler.plan.prices import DatedPrice
from reconciler.providers.search import Line

SHOWN = 20
"""How many diagnostics are printed; the others are only counted."""


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One take in `status`. `age` is the seconds since its artifact was made."""

    clip: str
    take: int
    picked: bool
    state: str
    detail: str = ""  # the reason and the facts
    way_out: tuple[str, ...] = ()  # remedies, each a command with its meaning
    progress: int | None = None
    provider: str = ""
    model: str = ""
    output: str | None = None
    cost: Decimal | None = None  # paid
    estimate: Decimal | None = None  # by the price table
    currency: str = ""
    age: float | None = None
    key: str = ""
    phase: str = ""  # of a running task: submitting, accepted, stalled, ready, fetched
    since: float | None = None  # seconds since the request
    expected: float | None = None  # seconds that such tasks typically take
    takes: int = 1  # of the clip
    by: str = ""  # who makes it, by a shared state
    began: float | None = None  # Unix time since when
    waits_for: str = ""  # why the next apply could not send it at once


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One event of the log; `time` is ISO 8601 in UTC."""

    sequence: int
    time: str
    clip: str
    type: str
    detail: str


@dataclass(frozen=True, slots=True)
class Section:
    """A titled group of facts for `show` and `explain`: pairs of name and value in order."""

    title: str
    facts: tuple[tuple[str, str], ...]


class Screen(Protocol):
    """What a run and a watch call. `emit` and `summary` never raise: output must not stop a run."""

    def plan(self, plan: Plan) -> None:
        """Show a plan."""

    def error(self, error: ClipformError) -> None:
        """Report why a command failed."""

    def note(self, message: str, data: Mapping[str, object] | None = None) -> None:
        """Report a short result; `data` is its form for programs."""

    def emit(self, event: Event) -> None:
        """Report an event of a run."""

    def summary(self, summary: Summary) -> None:
        """Report how a run ended."""

    def close(self) -> None:
        """Restore the terminal."""


class View(Screen, Protocol):
    """Output of all commands. `emit` is also the engine's sink."""

    def diagnostics(self, items: Sequence[Diagnostic]) -> None:
        """Report problems in the project's files."""

    def valid(self, clips: int, takes: int, files: int, warnings: Sequence[Diagnostic]) -> None:
        """Report that `validate` found no error."""

    def status(self, rows: Sequence[StatusRow], warnings: Sequence[Diagnostic] = ()) -> None:
        """Show `status`; `warnings` are about all of it."""

    def follow(self, rows: Sequence[StatusRow], warnings: Sequence[Diagnostic] = (), *, keys: bool) -> None:
        """Show the current rows of `status --watch`; on a terminal they replace the last ones. `keys`: q ends it."""

    def story(self, rows: Sequence[HistoryRow]) -> None:
        """Show what happened, in words."""

    def history(self, rows: Sequence[HistoryRow]) -> None:
        """Show `history`."""

    def show(
        self, sections: Sequence[Section], data: Mapping[str, object], warnings: Sequence[Diagnostic] = ()
    ) -> None:
        """Show the same facts as sections for people or as data for programs."""

    @property
    def can_draw(self) -> bool:
        """True if pictures can be shown; they need not be made otherwise."""

    def pictures(self, posters: Sequence[tuple[str, Path]]) -> None:
        """Show named pictures."""

    def models(self, lines: Sequence[Line]) -> None:
        """Show `models`."""

    def prices(self, rows: Sequence[DatedPrice], day: date) -> None:
        """Show `prices`; `day` is that of their ages."""

    def checks(self, items: Sequence[Finding]) -> None:
        """Show the findings of `doctor` or `verify`."""

    def text(self, text: str) -> None:
        """Print a document such as a schema, a graph or Markdown."""
