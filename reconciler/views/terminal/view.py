"""The view for people: results on stdout, messages and progress on stderr, colour and live progress on a terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from reconciler.diagnostics import ClipformError, Diagnostic, Finding, SpecError, Unwritten
from reconciler.events import Event, EventKind, Summary
from reconciler.plan.model import Plan
from reconciler.plan.prices import DatedPrice
from reconciler.providers.search import Line
from reconciler.views import catalogue, format, prices
from reconciler.views.base import HistoryRow, Section, StatusRow
from reconciler.views.terminal import apply, pictures, tables
from reconciler.views.terminal import diagnostics as diagnostics_text
from reconciler.views.terminal import plan as plan_text
from reconciler.views.terminal.notification import LONG, notification
from reconciler.views.terminal.sanitize import fit, put, safe
from reconciler.views.terminal.style import Style, can_redraw, room, wants_colour
from reconciler.views.terminal.wrap import TextLine, fold

if TYPE_CHECKING:
    from reconciler.views.terminal.heartbeat import Heartbeat
    from reconciler.views.terminal.live_table import LiveTable
    from reconciler.views.terminal.progress import LiveProgress


class HumanView:
    """Writes lines of text. `now` is a monotonic clock for the live display; `volume` is 1 with -v, -1 with -q."""

    def __init__(self, out: TextIO, err: TextIO, *, no_color: bool, now: Callable[[], float], volume: int = 0) -> None:
        self.out, self.err, self.now = out, err, now
        self.verbose, self.quiet = volume > 0, volume < 0
        self.style = Style(wants_colour(out, no_color))
        self.err_style = Style(wants_colour(err, no_color))
        self.live: LiveProgress | None = None
        self.heartbeat: Heartbeat | None = None
        self.table: LiveTable | None = None
        self.last_rows: Sequence[StatusRow] | None = None
        self.printed: list[tuple[int, str]] | None = None  # if it is a list: all output, by descriptor

    def _print(self, stream: TextIO, lines: Iterable[str]) -> None:
        """Print lines folded to the terminal. Raises Unwritten if a result cannot be written; a failed stderr is
        ignored."""
        columns = room(stream)
        text = "".join(f"{part}\n" for line in lines for part in fold(line, columns))
        with suppress(*([Unwritten] if stream is self.err else [])):
            put(fit(text, stream), stream)
        if self.printed is not None:
            self.printed.append((2 if stream is self.err else 1, fit(text, stream)))

    def diagnostics(self, items: Sequence[Diagnostic]) -> None:
        """Print them to stderr, in order."""
        if items:
            self._print(self.err, diagnostics_text.render(items, self.err_style, room(self.err)))

    def error(self, error: ClipformError) -> None:
        """Print its diagnostics, or its message and help."""
        self.close()
        if isinstance(error, SpecError):
            self.diagnostics(error.diagnostics)
            return
        lines = [f"{self.err_style.red('error:')} {safe(error.message, lines=True)}"]
        self._print(self.err, [*lines, *diagnostics_text.help_lines(error.help, self.err_style)])

    def valid(self, clips: int, takes: int, files: int, warnings: Sequence[Diagnostic]) -> None:
        """Print one line, after the warnings."""
        self.diagnostics(warnings)
        self._print(self.out, [f"Valid: {format.clips(clips, takes)} in {files} file{'' if files == 1 else 's'}."])

    def plan(self, plan: Plan) -> None:
        """Print every step but the noops, then the summary; warnings go to stderr."""
        self.diagnostics(plan.diagnostics)
        self._print(self.out, plan_text.render(plan, self.style, room(self.out)))

    def emit(self, event: Event) -> None:
        """Update the live display on a terminal; elsewhere print a line. A quiet view says only what went wrong."""
        if self.quiet and event.kind not in (EventKind.FAILED, EventKind.NOTE):
            return
        if event.kind is EventKind.STARTED and event.total:
            self._start()
        display = self.live or self.heartbeat
        if display is not None:
            display.emit(event)
        line = apply.line(event, self.err_style, live=self.live is not None)
        if line and self.live is not None:
            for part in fold(fit(line, self.err), room(self.err)):
                self.live.print(part)
        elif line:
            self._print(self.err, [line])

    def _start(self) -> None:
        """Start the live display, or the heartbeat where nothing can be drawn over."""
        self.close()
        if can_redraw(self.err):
            from reconciler.views.terminal.progress import LiveProgress

            self.live = LiveProgress(self.err, self.now)
        else:
            from reconciler.views.terminal.heartbeat import Heartbeat

            self.heartbeat = Heartbeat(lambda line: self._print(self.err, [safe(line)]), self.now)

    def summary(self, summary: Summary) -> None:
        """Print what did not succeed, what to do next, and the totals. A failed output does not fail the run."""
        self.close()
        lines = list(apply.summary(summary, self.style))
        with suppress(Unwritten):
            self._print(self.out, lines)
        if summary.elapsed >= LONG and can_redraw(self.err) and not self.quiet:
            with suppress(Unwritten):
                put(notification(f"clipform: {apply.result(summary)}", os.environ), self.err)

    def status(self, rows: Sequence[StatusRow], warnings: Sequence[Diagnostic] = ()) -> None:
        """Print a table as wide as the terminal; warnings go to stderr."""
        self.diagnostics(warnings)
        self._print(self.out, tables.status(rows, self.style, room(self.out)))

    def follow(self, rows: Sequence[StatusRow], warnings: Sequence[Diagnostic] = (), *, keys: bool) -> None:
        """Redraw the table on a terminal; elsewhere print it again after a blank line."""
        if not can_redraw(self.out):
            self._print(self.out, [] if self.last_rows is None else [""])
            self.status(rows, warnings)
        elif self.table is None:
            from reconciler.views.terminal.live_table import LiveTable

            self.table = LiveTable(self.out, self.style, self.now, keys=keys)
        self.last_rows = rows
        if self.table is not None:
            self.table.show(rows, "; ".join(warning.message for warning in warnings))

    def story(self, rows: Sequence[HistoryRow]) -> None:
        """Print a line for each thing that happened."""
        self._print(self.out, tables.story(rows, self.style, room(self.out)))

    def history(self, rows: Sequence[HistoryRow]) -> None:
        """Print a line for each event."""
        self._print(self.out, tables.history(rows, self.style, room(self.out)))

    def show(
        self, sections: Sequence[Section], data: Mapping[str, object], warnings: Sequence[Diagnostic] = ()
    ) -> None:
        """Print titled groups of facts; warnings go to stderr."""
        self.diagnostics(warnings)
        self._print(self.out, tables.sections(sections, self.style))

    @property
    def can_draw(self) -> bool:
        """True on a terminal, with the library that draws, unless quiet."""
        return not self.quiet and pictures.can_draw(self.out)

    def pictures(self, posters: Sequence[tuple[str, Path]]) -> None:
        """Draw rows of pictures, if the terminal can."""
        if posters:
            pictures.draw(posters, self.out, room(self.out))

    def models(self, lines: Sequence[Line]) -> None:
        """Print a table as wide as the terminal."""
        self._print(self.out, catalogue.table(lines, self.style, room(self.out)))

    def prices(self, rows: Sequence[DatedPrice], day: date) -> None:
        """Print a table, and the sources."""
        self._print(self.out, prices.table(rows, day, self.style, room(self.out)))

    def checks(self, items: Sequence[Finding]) -> None:
        """Print a line for each finding."""
        self._print(self.out, tables.checks(items, self.style))

    def text(self, text: str) -> None:
        """Print a document unchanged."""
        self._print(self.out, [TextLine(text.rstrip("\n"), wrap=False)])

    def note(self, message: str, data: Mapping[str, object] | None = None) -> None:
        """Print one line."""
        self._print(self.out, [safe(message, lines=True)])
        if self.verbose and data:
            self._print(self.err, [json.dumps(data, ensure_ascii=False)])

    def close(self) -> None:
        """Stop the live displays; the last rows of `status --watch` stay on the screen."""
        if self.live is not None:
            self.live.stop()
            self.live = None
        if self.heartbeat is not None:
            self.heartbeat.stop()
            self.heartbeat = None
        if self.table is not None:
            self.table.stop()
            self.table = None
            self.status(self.last_rows or ())
