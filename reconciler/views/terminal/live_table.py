"""Draw `status --watch` on a terminal: one table in place, as high as the screen, with running seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from reconciler.views.base import StatusRow
from reconciler.views.terminal import tables
from reconciler.views.terminal.sanitize import fit, safe
from reconciler.views.terminal.style import Style

_FIRST = ("running", "blocked", "failed")
"""The states that come first on a screen that is too low for all rows."""


class LiveTable:
    """A table that `show` redraws. `now` is a monotonic clock in seconds; `keys`: q ends the display."""

    def __init__(self, stream: TextIO, style: Style, now: Callable[[], float], *, keys: bool) -> None:
        self.style, self.now, self.stream = style, now, stream
        self.end = "[q] quit" if keys else "Ctrl-C quits"
        self.rows: Sequence[StatusRow] = ()
        self.read_at, self.warning = now(), ""
        console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self.live = Live(self, console=console, refresh_per_second=2, transient=True)
        self.live.start()

    def show(self, rows: Sequence[StatusRow], warning: str = "") -> None:
        """Replace the rows on the screen, and what is said below them."""
        self.rows, self.read_at, self.warning = rows, self.now(), safe(warning)
        self.live.refresh()

    def stop(self) -> None:
        """Restore the terminal."""
        self.live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._lines(options.max_width, options.size.height):
            yield Text.from_ansi(fit(line, self.stream), no_wrap=True, overflow="crop")

    def _lines(self, width: int, height: int) -> Iterator[str]:
        rows = [self._later(row) for row in self.rows]
        room = max(1, height - 4 - bool(self.warning))
        visible = rows if len(rows) <= room else sorted(rows, key=_rank)[:room]
        if visible:
            yield from tables.lines_of(visible, self.style, width)
        if len(visible) < len(rows):
            yield f"… and {len(rows) - len(visible)} more"
        if self.warning:
            yield self.style.yellow(self.warning)
        counts = Counter(row.state for row in rows)
        totals = ", ".join(f"{count} {state}" for state, count in counts.items()) or "no clips"
        yield self.style.dim(f"{totals}. Watching. {self.end}")

    def _later(self, row: StatusRow) -> StatusRow:
        """Return the row with its times counted on to now."""
        elapsed = self.now() - self.read_at
        age = None if row.age is None else row.age + elapsed
        return replace(row, age=age, since=None if row.since is None else row.since + elapsed)


def _rank(row: StatusRow) -> int:
    return _FIRST.index(row.state) if row.state in _FIRST else len(_FIRST)
