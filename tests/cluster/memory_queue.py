"""A queue within one process: the complete reference of the port."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from reconciler.cluster.dispatch import Handle


@dataclass(slots=True)
class MemoryDispatch:
    """A queue within one process."""

    waiting: dict[str, str] = field(default_factory=dict)  # account by key
    given: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def enqueue(self, keys: Collection[tuple[str, str]]) -> None:
        """Put keys into the queue, see `Dispatch`."""
        self.waiting |= {key: account for key, account in keys if key not in self.given and key not in self.waiting}
        self.news.set()

    async def run(
        self,
        slots: Mapping[str, int],
        handle: Handle,
        stop: asyncio.Event,
        *,
        once: bool = False,
        at_once: int | None = None,
    ) -> None:
        """Give keys to `handle`, see `Dispatch`."""
        tasks: set[asyncio.Task[None]] = set()
        stopped = asyncio.ensure_future(stop.wait())
        while not stop.is_set() and not (once and not tasks and self.waiting.keys() <= self._others(slots)):
            self.news.clear()
            for key, account in [*self.waiting.items()]:
                going = [*self.given.values()].count(account)
                has_room = at_once is None or len(tasks) < at_once
                if account in slots and has_room and not 0 < slots[account] <= going:
                    self.given[key] = self.waiting.pop(key)
                    tasks.add(asyncio.ensure_future(self._hand(key, handle)))
            news = asyncio.ensure_future(self.news.wait())
            await asyncio.wait({*tasks, news, stopped}, return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
            tasks = {task for task in tasks if not task.done()}
        stopped.cancel()
        await asyncio.gather(*tasks)

    def _others(self, slots: Mapping[str, int]) -> set[str]:
        return {key for key, account in self.waiting.items() if account not in slots}

    async def _hand(self, key: str, handle: Handle) -> None:
        account, again = self.given[key], None
        try:
            again = await handle(key)
        except Exception:  # noqa: BLE001  # as a queue does that runs the code of others
            self.failed.append(key)
        finally:
            del self.given[key]
        if again is not None:
            self.waiting[key] = account

    async def held(self) -> int:
        """Return how many jobs are kept, see `Dispatch`."""
        return len(self.failed)
