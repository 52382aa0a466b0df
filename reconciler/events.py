"""The events that the engine reports. Views render them; nothing is decided from them."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from reconciler.frozen import dataclass


def take_name(clip: str, take: int, takes: int = 1) -> str:
    """Return how every command writes a take: the clip alone if it has only one."""
    return clip if max(take, takes) == 1 else f"{clip}#{take}"


class EventKind(StrEnum):
    """The kinds of events, in the order in which they happen to a clip."""

    STARTED = "started"  # the run: `total` steps to do
    WAITING = "waiting"  # `message` says why; the next try is in `wait` seconds
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
    """One event of a step. Seconds are wall time of the step; `progress` is in percent, None where it is unknown."""

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
    wait: float | None = None
    tries: int | None = None  # of one request so far
    total: int | None = None
    cost: Decimal | None = None
    takes: int = 1  # of the clip
    needs: tuple[str, ...] = ()  # names of the steps without which this one does not begin

    @property
    def name(self) -> str:
        """Return the clip, with its take if it has several."""
        return take_name(self.clip, self.take, self.takes)


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
    takes: int = 1  # of the clip

    @property
    def name(self) -> str:
        """Return the clip, with its take if it has several."""
        return take_name(self.clip, self.take, self.takes)


@dataclass(frozen=True, slots=True)
class Summary:
    """The end of an apply: every outcome, and if the user interrupted it."""

    outcomes: tuple[Outcome, ...]
    interrupted: bool = False
    elapsed: float = 0.0
    spent: Decimal = Decimal(0)  # the known part, in `currency`
    unpriced: int = 0  # purchases of this run without a known price, running ones included
    currency: str = ""
    in_doubt: int = 0  # purchases of this run, counted above, of which nobody knows if they were accepted
    saved: Decimal = Decimal(0)  # what reused results would have cost; see `plan.cost.saved`
    saved_unpriced: int = 0  # reused takes without a known price
    refused: bool = False  # a provider refused its credentials, or has none
    late: bool = False  # the time of --timeout ended the run

    def having(self, *results: EventKind) -> tuple[Outcome, ...]:
        """Return the outcomes with one of these results."""
        return tuple(o for o in self.outcomes if o.result in results)

    @property
    def exit_code(self) -> int:
        """Return 0 when done, 3 when something failed, is blocked, was not started or was left because of --timeout,
        130 when interrupted, and 1 if nothing was done because credentials are wrong."""
        if self.interrupted:
            return 130
        undone = (EventKind.FAILED, EventKind.SKIPPED, EventKind.BLOCKED, *((EventKind.LEFT,) if self.late else ()))
        if not self.having(*undone):
            return 0
        unchanged = not self.having(EventKind.SUCCEEDED, EventKind.LEFT, EventKind.BLOCKED) and not self.in_doubt
        return 1 if self.refused and unchanged else 3
