"""What the engine says while it works. Views render these; nothing is decided from them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class EventKind(StrEnum):
    """The sorts of events, in the order in which a clip meets them."""

    STARTED = "started"  # the run: `total` steps to do
    WAITING = "waiting"  # for another clip, or for a slot
    SUBMITTED = "submitted"  # the provider holds a task
    RUNNING = "running"  # progress in percent, elapsed and expected seconds
    FETCHED = "fetched"  # the artifact is in the store
    SUCCEEDED = "succeeded"  # the step is done
    FAILED = "failed"
    SKIPPED = "skipped"  # because of another clip, or because the run is stopping
    BLOCKED = "blocked"
    LEFT = "left"  # still running at the provider; a later run carries on
    NOTE = "note"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. Seconds are wall time of the step; `progress` is percent, None when not told."""

    kind: EventKind
    clip: str = ""
    take: int = 1
    action: str = ""
    message: str = ""
    help: str = ""
    output: str | None = None
    task: str | None = None
    progress: int | None = None
    elapsed: float | None = None
    expected: float | None = None
    total: int | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one step of a plan ended: `result` is SUCCEEDED, FAILED, SKIPPED, BLOCKED or LEFT."""

    clip: str
    take: int
    action: str
    result: EventKind
    message: str = ""
    help: str = ""
    output: str | None = None
    elapsed: float = 0.0
    cost: Decimal | None = None

    @property
    def name(self) -> str:
        """The clip, with its take when it is not the first."""
        return self.clip if self.take == 1 else f"{self.clip}#{self.take}"


@dataclass(frozen=True, slots=True)
class Summary:
    """The end of an apply: every outcome, and whether it was cut short by the user."""

    outcomes: tuple[Outcome, ...]
    interrupted: bool = False
    elapsed: float = 0.0
    spent: Decimal = Decimal(0)  # what is known of it
    unpriced: int = 0  # purchases of this run whose price nobody knows, those that go on included
    currency: str = ""
    saved: Decimal = Decimal(0)  # what it would have cost more, had nothing been at hand; see `plan.cost.saved`
    saved_unpriced: int = 0  # takes of which nobody knows what they would have cost

    def having(self, *results: EventKind) -> tuple[Outcome, ...]:
        """The outcomes with one of these results."""
        return tuple(o for o in self.outcomes if o.result in results)

    @property
    def exit_code(self) -> int:
        """0 done, 3 something failed or is blocked, 130 interrupted."""
        if self.interrupted:
            return 130
        return 3 if self.having(EventKind.FAILED, EventKind.SKIPPED, EventKind.BLOCKED) else 0
