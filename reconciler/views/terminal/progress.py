"""Live progress on a terminal: a window of running clips, an overall bar, elapsed and expected time.

Drawn with `rich.live` and a window of rows. Refused: `rich.progress`, whose cost grows with the square of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from reconciler.events import Event, EventKind
from reconciler.views import format
from reconciler.views.terminal.sanitize import fit, safe
from reconciler.views.terminal.wrap import cut, pad, width

_ROWS = 12
_BAR = 24
_NAME = 40
_OVER = frozenset({EventKind.SUCCEEDED, EventKind.FAILED, EventKind.SKIPPED, EventKind.BLOCKED, EventKind.LEFT})
_WORDS = {
    EventKind.SUBMITTED: "queued",
    EventKind.RUNNING: "running",
    EventKind.FETCHED: "placing",
    EventKind.WAITING: "waiting",
}


@dataclass(frozen=True, slots=True)
class RunningClip:
    """One running clip."""

    name: str
    word: str
    progress: int | None = None
    started: float = 0.0
    expected: float | None = None


class LiveProgress:
    """A sink for events that redraws a few times a second. `now` is a monotonic clock in seconds."""

    def __init__(self, stream: TextIO, now: Callable[[], float]) -> None:
        self.now, self.stream = now, stream
        self.rows: dict[tuple[str, int], RunningClip] = {}
        self.done = 0
        self.total = 0
        self.began = now()
        self.console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self.live = Live(self, console=self.console, refresh_per_second=8, transient=True)
        self.live.start()

    def emit(self, event: Event) -> None:
        """Take note; the next redraw shows it."""
        ident = (event.clip, event.take)
        if event.kind is EventKind.STARTED:
            self.total = event.total or 0
        elif event.kind in _OVER:
            self.rows.pop(ident, None)
            self.done += 1
        elif event.kind in _WORDS:
            name = event.clip if event.take == 1 else f"{event.clip}#{event.take}"
            row = self.rows.get(ident) or RunningClip(name, "", started=self.now())
            expected = event.expected if event.expected is not None else row.expected
            self.rows[ident] = replace(row, word=_WORDS[event.kind], progress=event.progress, expected=expected)

    def print(self, line: str) -> None:
        """A finished line above the window; it may hold colour codes of our own."""
        self.console.print(Text.from_ansi(line), soft_wrap=True)

    def stop(self) -> None:
        """Put the terminal back."""
        self.live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._lines():
            text = Text(fit(line, self.stream))
            text.truncate(options.max_width, overflow="ellipsis")
            yield text

    def _lines(self) -> Iterator[str]:
        shown = list(self.rows.values())[:_ROWS]
        names = [cut(safe(row.name), _NAME, "middle") for row in shown]
        widest = max(map(width, names), default=0)
        for row, name in zip(shown, names, strict=True):
            yield f"  {pad(name, widest)}  {self._row(row)}"
        if len(self.rows) > _ROWS:
            yield f"  … and {len(self.rows) - _ROWS} more"
        share = self.done / self.total if self.total else 0.0
        yield f"{bar(share)} {self.done}/{self.total}  {format.seconds(self.now() - self.began)}"

    def _row(self, row: RunningClip) -> str:
        elapsed = self.now() - row.started
        expected = f" of about {format.seconds(row.expected)}" if row.expected else ""
        share = "" if row.progress is None else f"{row.progress:>3}% "
        return f"{row.word:<8} {share}{format.seconds(elapsed)}{expected}"


def bar(share: float) -> str:
    """A bar in plain characters, so that every terminal and locale shows it."""
    full = round(max(0.0, min(1.0, share)) * _BAR)
    return f"[{'#' * full}{'-' * (_BAR - full)}]"
