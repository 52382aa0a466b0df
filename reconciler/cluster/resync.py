"""Brings the queue up to date with the orders: what the queue lost, or never knew, is put into it again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from reconciler.cluster.dispatch import Dispatch
from reconciler.cluster.place import WorkPlace
from reconciler.project.pending_repairs import settle_orphans

EVERY = 60.0
"""Seconds between two resyncs of one worker, on average."""
LOOK = 1.0
"""Seconds between two looks for orders that were handed over."""


@dataclass(slots=True)
class Resync:
    """The resync of one worker, for the accounts that it serves. `random` returns a number from 0 to 1, so that workers
    that began together do not stay together."""

    place: WorkPlace
    accounts: Collection[str]
    dispatch: Dispatch
    say: Callable[[str], None]
    random: Callable[[], float]
    due: float = float("-inf")
    newest: str = ""
    held: int = 0

    async def look(self) -> bool:
        """Resync if it is time, or if orders were handed over since the last one. Returns True if it did."""
        now = self.place.session.clock.monotonic()
        newest = self.place.wants.newest()
        if now < self.due and newest == self.newest:
            return False
        self.newest, self.due = newest, now + EVERY * (0.75 + self.random() / 2)
        await self.resync()
        return True

    async def resync(self) -> None:
        """Say that this worker is alive, settle what dead ones sent, and queue every open order that may begin."""
        member = self.place.member
        self.place.wants.register(member.owner, member.name, self.accounts)
        self.place.copies.try_again()
        settle_orphans(self.place.session.store, self.place.session.receipts)
        await self.dispatch.enqueue(self.place.wants.ready(self.accounts))
        held = await self.dispatch.held()
        if held > self.held:
            self.say(
                f"{held} job{'' if held == 1 else 's'} ended by an error and are held in the queue's table pgqueuer"
            )
        self.held = held
