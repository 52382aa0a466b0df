"""Draw live progress on a terminal: the running clips, why they wait, an overall bar, elapsed and remaining time.

It uses `rich.live` with a limited number of rows; the cost of `rich.progress` grows with the square of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from reconciler.events import Event
from reconciler.views.terminal.sanitize import fit, safe
from reconciler.views.terminal.tracker import RunTracker
from reconciler.views.terminal.wrap import cut, pad, width

_ROWS = 12
_BAR = 24
_NAME = 40


class LiveProgress:
    """An event sink that redraws a few times a second. `now` is a monotonic clock in seconds."""

    def __init__(self, stream: TextIO, now: Callable[[], float]) -> None:
        self.stream, self.tracker = stream, RunTracker(now)
        self.console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self.live = Live(self, console=self.console, refresh_per_second=8, transient=True)
        self.live.start()

    def emit(self, event: Event) -> None:
        """Record an event; the next redraw shows it."""
        self.tracker.emit(event)

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
        visible = self.tracker.lines(_ROWS)
        names = [cut(safe(name), _NAME, "middle") for name, _ in visible]
        widest = max(map(width, names), default=0)
        for (_, text), name in zip(visible, names, strict=True):
            yield f"  {pad(name, widest)}  {safe(text)}"
        if (more := len(self.tracker.rows) + len(self.tracker.held) - _ROWS) > 0:
            yield f"  … and {more} more"
        yield f"{bar(self.tracker.share)} {self.tracker.totals()}"


def bar(share: float) -> str:
    """Return a bar in ASCII, which every terminal and locale shows."""
    full = round(max(0.0, min(1.0, share)) * _BAR)
    return f"[{'#' * full}{'-' * (_BAR - full)}]"
