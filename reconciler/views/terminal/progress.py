"""Draw live progress on a terminal: the running clips, an overall bar, elapsed and expected time.

It uses `rich.live` with a limited number of rows; the cost of `rich.progress` grows with the square of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from reconciler.events import Event, EventKind, take_name
from reconciler.views import format
from reconciler.views.terminal.sanitize import fit, safe
from reconciler.views.terminal.wrap import cut, pad, width

_ROWS = 12
_BAR = 24
_NAME = 40
_OVER = frozenset({EventKind.SUCCEEDED, EventKind.FAILED, EventKind.SKIPPED, EventKind.BLOCKED, EventKind.LEFT})
_PHASES = {
    EventKind.SUBMITTED: "queued",
    EventKind.RUNNING: "running",
    EventKind.FETCHED: "placing",
    EventKind.WAITING: "waiting",
}


@dataclass(frozen=True, slots=True)
class RunningClip:
    """One running clip; `started` by the monotonic clock, `expected` in seconds."""

    name: str
    phase: str
    progress: int | None = None
    started: float = 0.0
    expected: float | None = None


class LiveProgress:
    """An event sink that redraws a few times a second. `now` is a monotonic clock in seconds."""

    def __init__(self, stream: TextIO, now: Callable[[], float]) -> None:
        self.now, self.stream = now, stream
        self.rows: dict[tuple[str, int], RunningClip] = {}
        self.done = 0
        self.total = 0
        self.started = now()
        self.console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self.live = Live(self, console=self.console, refresh_per_second=8, transient=True)
        self.live.start()

    def emit(self, event: Event) -> None:
        """Record an event; the next redraw shows it."""
        ident = (event.clip, event.take)
        if event.kind is EventKind.STARTED:
            self.total = event.total or 0
        elif event.kind in _OVER:
            self.rows.pop(ident, None)
            self.done += 1
        elif event.kind in _PHASES:
            name = take_name(event.clip, event.take)
            row = self.rows.get(ident) or RunningClip(name, "", started=self.now())
            expected = event.expected if event.expected is not None else row.expected
            self.rows[ident] = replace(row, phase=_PHASES[event.kind], progress=event.progress, expected=expected)

    def print(self, line: str) -> None:
        """Print a line above the display; it may have colour codes."""
        self.console.print(Text.from_ansi(line), soft_wrap=True)

    def stop(self) -> None:
        """Restore the terminal."""
        self.live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._lines():
            text = Text(fit(line, self.stream))
            text.truncate(options.max_width, overflow="ellipsis")
            yield text

    def _lines(self) -> Iterator[str]:
        visible = list(self.rows.values())[:_ROWS]
        names = [cut(safe(row.name), _NAME, "middle") for row in visible]
        widest = max(map(width, names), default=0)
        for row, name in zip(visible, names, strict=True):
            yield f"  {pad(name, widest)}  {self._row(row)}"
        if len(self.rows) > _ROWS:
            yield f"  … and {len(self.rows) - _ROWS} more"
        share = self.done / self.total if self.total else 0.0
        yield f"{bar(share)} {self.done}/{self.total}  {format.seconds(self.now() - self.started)}"

    def _row(self, row: RunningClip) -> str:
        elapsed = self.now() - row.started
        expected = f" of about {format.seconds(row.expected)}" if row.expected else ""
        share = "" if row.progress is None else f"{row.progress:>3}% "
        return f"{row.phase:<8} {share}{format.seconds(elapsed)}{expected}"


def bar(share: float) -> str:
    """Return a bar in ASCII, which every terminal and locale shows."""
    full = round(max(0.0, min(1.0, share)) * _BAR)
    return f"[{'#' * full}{'-' * (_BAR - full)}]"
