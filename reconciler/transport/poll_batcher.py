"""Polls of one provider gathered into lists: who asks at about the same time is answered by one request.

One list request is under way at a time; while it waits for its turn or its answer, the next ones gather. A task that a
list does not show is asked for by itself: a list may lag or leave tasks out, and "not found" must not come from that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from reconciler.clock import Clock
from reconciler.providers.base import PollAnswer, PollTrouble, Reply, Request
from reconciler.providers.capabilities import Lists, TaskPage

WINDOW = 0.05
"""Seconds in which callers who wake together find each other."""

Ask = Callable[[Request], Awaitable[Reply | PollTrouble]]


class PollBatcher:
    """The polls that wait for an answer; nothing is kept of those that have theirs."""

    def __init__(self, dialect: Lists, ask: Ask, alone: Callable[[str], Awaitable[PollAnswer]], clock: Clock) -> None:
        self._dialect, self._ask, self._alone, self._clock = dialect, ask, alone, clock
        self._waiting: dict[str, asyncio.Future[PollAnswer]] = {}
        self._runner: asyncio.Task[None] | None = None

    async def look(self, task: str) -> PollAnswer:
        """How a task stands."""
        if task not in self._waiting:
            self._waiting[task] = asyncio.get_running_loop().create_future()
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return await asyncio.shield(self._waiting[task])

    async def aclose(self) -> None:
        """Stop asking; whoever still waits is cancelled."""
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()

    async def _run(self) -> None:
        await self._clock.sleep(WINDOW)
        while self._waiting:
            batch = dict(list(self._waiting.items())[: self._dialect.list_size])
            try:
                await self._answer(batch)
            except Exception as error:
                for future in batch.values():
                    if not future.done():
                        future.set_exception(error)
                raise
            finally:
                for task in batch:
                    self._waiting.pop(task, None)

    async def _answer(self, batch: Mapping[str, asyncio.Future[PollAnswer]]) -> None:
        known = await self._list(tuple(batch)) if len(batch) > 1 else {}
        missing = [task for task in batch if task not in known]
        found = await asyncio.gather(*map(self._alone, missing))
        for task, answer in {**known, **dict(zip(missing, found, strict=True))}.items():
            if task in batch and not batch[task].done():
                batch[task].set_result(answer)

    async def _list(self, tasks: Sequence[str]) -> Mapping[str, PollAnswer]:
        """What one list says; when it is in trouble, so is every task, and the next look asks again."""
        reply = await self._ask(self._dialect.list_tasks(tasks))
        page = reply if isinstance(reply, PollTrouble) else self._dialect.read_list(reply)
        if isinstance(page, TaskPage):
            return {listed.task: listed.answer for listed in page.tasks}
        return dict.fromkeys(tasks, page)
