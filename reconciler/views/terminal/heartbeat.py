"""Report a run where no display can be drawn: one line for each reason to wait, and one each minute."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event as Signal
from threading import Thread

from reconciler.events import Event, EventKind
from reconciler.views.terminal.tracker import RunTracker, next_try

MINUTE = 60.0


class Heartbeat:
    """An event sink that prints lines. The thread prints while the run says nothing; it ends with the process."""

    def __init__(self, print_line: Callable[[str], None], now: Callable[[], float], every: float = MINUTE) -> None:
        self.print, self.tracker, self.every = print_line, RunTracker(now), every
        self.reasons: set[str] = set()
        self.over = Signal()
        Thread(target=self._beat, daemon=True).start()

    def emit(self, event: Event) -> None:
        """Record an event; print a reason to wait that the run has not had before."""
        self.tracker.emit(event)
        if event.kind is EventKind.WAITING and event.wait is not None and event.message not in self.reasons:
            self.reasons.add(event.message)
            self.print(f"waiting: {event.message}, {next_try(event.wait, event.tries)}")

    def stop(self) -> None:
        """End the thread."""
        self.over.set()

    def _beat(self) -> None:
        while not self.over.wait(self.every):
            self.print(self.tracker.heartbeat())
