"""Track the clips of a run from its events: for the live display, and for the heartbeat where there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from reconciler.events import Event, EventKind
from reconciler.frozen import dataclass
from reconciler.views import format
from reconciler.views.format import ordinal

_OVER = frozenset({EventKind.SUCCEEDED, EventKind.FAILED, EventKind.SKIPPED, EventKind.BLOCKED, EventKind.LEFT})
_PHASES = {
    EventKind.SUBMITTED: "queued",
    EventKind.RUNNING: "running",
    EventKind.FETCHED: "placing",
    EventKind.WAITING: "waiting",
}
_MOST = 0.95  # of a running clip's part of the work: it may take longer than expected


@dataclass(frozen=True, slots=True)
class RunningClip:
    """One running clip. `started` and `until` by the monotonic clock; `until` is when the next try comes."""

    name: str
    phase: str
    progress: int | None = None
    started: float = 0.0
    expected: float | None = None
    reason: str = ""
    until: float | None = None
    tries: int | None = None

    def text(self, now: float) -> str:
        """Return its phase with times, or why it waits and for how long."""
        elapsed = format.whole(now - self.started)
        if self.until is not None:
            return f"waiting: {self.reason}, {next_try(max(0.0, self.until - now), self.tries)}"
        if self.reason:
            return f"{self.reason}  {elapsed}"
        expected = f" of about {format.seconds(self.expected)}" if self.expected else ""
        share = "" if self.progress is None else f"{self.progress:>3}% "
        return f"{self.phase:<8} {share}{elapsed}{expected}"

    def done(self, now: float) -> float:
        """Return which part of its work is done, as far as that is known."""
        if self.progress is not None:
            return min(_MOST, self.progress / 100)
        return min(_MOST, (now - self.started) / self.expected) if self.expected else 0.0


class RunTracker:
    """The state of a run. `now` is a monotonic clock in seconds. One thread may record while another reads."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.rows: dict[tuple[str, int], RunningClip] = {}
        self.held: dict[tuple[str, int], Event] = {}  # steps that other steps of this run hold back
        self.ended: set[str] = set()
        self.done = self.total = 0
        self.expected: float | None = None
        self.started = now()

    def emit(self, event: Event) -> None:
        """Record an event."""
        ident = (event.clip, event.take)
        if event.kind is EventKind.STARTED:
            self.total, self.expected = event.total or 0, event.expected
        elif event.kind in _OVER:
            self.rows.pop(ident, None)
            self.held.pop(ident, None)
            self.ended.add(event.name)
            self.done += 1
        elif event.needs:
            self.held[ident] = event
        elif event.kind in _PHASES:
            self.held.pop(ident, None)
            row = self.rows.get(ident) or RunningClip(event.name, "", started=self.now())
            self.rows[ident] = replace(
                row,
                phase=_PHASES[event.kind],
                progress=event.progress,
                expected=row.expected if event.expected is None else event.expected,
                reason=event.message if event.kind is EventKind.WAITING else "",
                until=None if event.wait is None else self.now() + event.wait,
                tries=event.tries,
            )

    @property
    def elapsed(self) -> float:
        """The seconds since the run began."""
        return self.now() - self.started

    @property
    def share(self) -> float:
        """The part of the work that is done."""
        now = self.now()
        return (self.done + sum(row.done(now) for row in list(self.rows.values()))) / self.total if self.total else 0.0

    def remaining(self) -> float | None:
        """Return how many seconds the rest should take: by the plan's estimate, or longer if the run is slower."""
        share = min(1.0, self.share)
        pace = self.elapsed / share if self.done and share else None  # of the whole run
        whole = max((seconds for seconds in (self.expected, pace) if seconds is not None), default=None)
        return None if whole is None else (1 - share) * whole

    def heartbeat(self) -> str:
        """Return one line about the run."""
        reasons = Counter(row.reason for row in list(self.rows.values()) if row.until is not None)
        parts = [f"{self.done} of {self.total} done", f"{len(self.rows) - reasons.total()} running"]
        parts += [f"{count} waiting ({reason})" for reason, count in reasons.items()]
        parts += [f"{len(self.held)} waiting for other clips"] if self.held else []
        return f"after {format.whole(self.elapsed)}: {', '.join(parts)}{self._rest()}"

    def lines(self, most: int) -> list[tuple[str, str]]:
        """Return name and text of at most so many clips: those that run, then those that wait for one of them."""
        now = self.now()
        lines = [(row.name, row.text(now)) for row in list(self.rows.values())[:most]]
        for event in list(self.held.values())[: most - len(lines)]:
            needs = [name for name in event.needs if name not in self.ended] or event.needs
            lines.append((event.name, f"waits for {', '.join(needs)}"))
        return lines

    def _rest(self) -> str:
        remaining = self.remaining()
        return "" if remaining is None else f"; about {format.whole(max(1.0, remaining))} left"

    def totals(self) -> str:
        """Return the text beside the bar: the count, the time so far, and the time left."""
        return f"{self.done}/{self.total}  {format.whole(self.elapsed)}{self._rest()}"


def next_try(wait: float, tries: int | None) -> str:
    """Return when the next try comes, such as `next try in 6 s (4th)`."""
    when = f"in {format.whole(wait)}" if wait >= 1 else "now"
    return f"next try {when}{f' ({ordinal(tries + 1)})' if tries else ''}"
