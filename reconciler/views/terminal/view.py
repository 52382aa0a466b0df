"""The people's view: results on stdout, talk and progress on stderr, colour and live progress on a terminal only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from reconciler.diagnostics import ClipformError, Diagnostic, SpecError, Unwritten
from reconciler.events import Event, EventKind, Summary
from reconciler.plan.model import Plan
from reconciler.project.finding import Finding
from reconciler.providers.search import Line
from reconciler.views import catalogue, format
from reconciler.views.base import HistoryRow, Section, StatusRow
from reconciler.views.terminal import apply, tables
from reconciler.views.terminal import diagnostics as diagnostics_text
from reconciler.views.terminal import plan as plan_text
from reconciler.views.terminal.sanitize import fit, put, safe
from reconciler.views.terminal.style import Style, moves, room, wants_colour
from reconciler.views.terminal.wrap import Kept, fold

if TYPE_CHECKING:
    from reconciler.views.terminal.live_table import LiveTable
    from reconciler.views.terminal.progress import LiveProgress


class HumanView:
    """Writes lines. `now` is a monotonic clock for the live display."""

    def __init__(
        self, out: TextIO, err: TextIO, *, no_color: bool, now: Callable[[], float], verbose: bool = False
    ) -> None:
        self.out, self.err, self.now, self.verbose = out, err, now, verbose
        self.style = Style(wants_colour(out, no_color))
        self.talk = Style(wants_colour(err, no_color))
        self.live: LiveProgress | None = None
        self.table: LiveTable | None = None
        self.followed: Sequence[StatusRow] | None = None

    def _say(self, stream: TextIO, lines: Iterable[str]) -> None:
        """A closed pipe or a narrow console is no failure, nor is talk that cannot be written. Raises Unwritten for a
        result that cannot."""
        columns = room(stream)
        text = "".join(f"{part}\n" for line in lines for part in fold(line, columns))
        with suppress(*([Unwritten] if stream is self.err else [])):
            put(fit(text, stream), stream)

    def diagnostics(self, items: Sequence[Diagnostic]) -> None:
        """On stderr, in order."""
        if items:
            self._say(self.err, diagnostics_text.render(items, self.talk, room(self.err)))

    def error(self, error: ClipformError) -> None:
        """Its diagnostics, or its message and the way out."""
        self.close()
        if isinstance(error, SpecError):
            self.diagnostics(error.diagnostics)
            return
        lines = [f"{self.talk.red('error:')} {safe(error.message, lines=True)}"]
        self._say(self.err, [*lines, *diagnostics_text.help_lines(error.help, self.talk)])

    def valid(self, clips: int, files: int, warnings: Sequence[Diagnostic]) -> None:
        """One line, after the warnings."""
        self.diagnostics(warnings)
        self._say(self.out, [f"Valid: {format.clips(clips)} in {files} file{'' if files == 1 else 's'}."])

    def plan(self, plan: Plan) -> None:
        """Every step that is not a noop, then the summary; warnings on stderr."""
        self.diagnostics(plan.diagnostics)
        self._say(self.out, plan_text.render(plan, self.style))

    def emit(self, event: Event) -> None:
        """Live on a terminal, plain lines elsewhere."""
        if event.kind is EventKind.STARTED and moves(self.err) and event.total:
            from reconciler.views.terminal.progress import LiveProgress

            self.live = LiveProgress(self.err, self.now)
        if self.live is not None:
            self.live.emit(event)
        line = apply.line(event, self.talk, live=self.live is not None)
        if line and self.live is not None:
            for part in fold(fit(line, self.err), room(self.err)):
                self.live.print(part)
        elif line:
            self._say(self.err, [line])

    def summary(self, summary: Summary) -> None:
        """The table of what succeeded and what did not, and what to do. It was done, whether it can be told or not."""
        self.close()
        with suppress(Unwritten):
            self._say(self.out, apply.summary(summary, self.style))

    def status(self, rows: Sequence[StatusRow]) -> None:
        """A table as wide as the terminal."""
        self._say(self.out, tables.status(rows, self.style, room(self.out)))

    def follow(self, rows: Sequence[StatusRow], *, keys: bool) -> None:
        """A table that is drawn anew on a terminal; elsewhere one after the other, with a blank line between."""
        if not moves(self.out):
            self._say(self.out, [] if self.followed is None else [""])
            self._say(self.out, tables.status(rows, self.style, room(self.out)))
        elif self.table is None:
            from reconciler.views.terminal.live_table import LiveTable

            self.table = LiveTable(self.out, self.style, self.now, keys=keys)
        self.followed = rows
        if self.table is not None:
            self.table.show(rows)

    def history(self, rows: Sequence[HistoryRow]) -> None:
        """One line an event."""
        self._say(self.out, tables.history(rows, self.style, room(self.out)))

    def show(self, sections: Sequence[Section], data: Mapping[str, object]) -> None:
        """Titled groups of facts."""
        self._say(self.out, tables.sections(sections, self.style))

    def models(self, lines: Sequence[Line]) -> None:
        """A table as wide as the terminal."""
        self._say(self.out, catalogue.table(lines, self.style, room(self.out)))

    def checks(self, items: Sequence[Finding]) -> None:
        """One line a finding."""
        self._say(self.out, tables.checks(items, self.style))

    def text(self, text: str) -> None:
        """As it is."""
        self._say(self.out, [Kept(text.rstrip("\n"))])

    def note(self, message: str, data: Mapping[str, object] | None = None) -> None:
        """One line."""
        self._say(self.out, [safe(message, lines=True)])
        if self.verbose and data:
            self._say(self.err, [json.dumps(data, ensure_ascii=False)])

    def close(self) -> None:
        """Stop what is live; of a table that was followed the last state stays."""
        if self.live is not None:
            self.live.stop()
            self.live = None
        if self.table is not None:
            self.table.stop()
            self.table = None
            self.status(self.followed or ())
