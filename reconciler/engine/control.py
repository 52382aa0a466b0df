"""Stops a run: what halts submits and polls, and how one generation ends early."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler.events import EventKind

DOWNLOADS = 16
"""Results that are fetched at once in a run: more would share the line until each of them is too slow."""


@dataclass(slots=True)
class RunControl:
    """Set when the user interrupts: no new submit, and whoever waits wakes up. `vendors` stops single providers.

    `idle` is set while all that goes on (`going` generations) only waits (`idling` of them) for the time of a look-up:
    nobody is kept waiting for that alone. `open` counts purchases that were sent and whose answer is not on record.
    """

    event: asyncio.Event = field(default_factory=asyncio.Event)
    vendors: dict[str, str] = field(default_factory=dict)  # alias -> why no more is submitted to it
    downloads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DOWNLOADS))
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    going: int = 0
    idling: int = 0
    open: int = 0

    def carry(self, going: int) -> None:
        """So many generations are under way now."""
        self.going = going
        self._weigh()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """One of them only waits, within the block."""
        self.idling += 1
        self._weigh()
        try:
            yield
        finally:
            self.idling -= 1
            self._weigh()

    def _weigh(self) -> None:
        if self.idling >= self.going:
            self.idle.set()
        else:
            self.idle.clear()


class StepEnded(Exception):
    """This generation ends here for this run. `kind` says how: FAILED, BLOCKED, LEFT or SKIPPED."""

    def __init__(self, kind: EventKind, message: str, help: str = "") -> None:
        super().__init__(message)
        self.kind, self.message, self.help = kind, message, help
