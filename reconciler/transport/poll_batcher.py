"""Combines polls of one provider: callers that ask at about the same time share one list request.

One list request runs at a time; while it waits for its turn or its answer, further callers gather for the next. A task
that the list does not show is polled by itself: a list may lag or omit tasks, which must not read as "not found".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice

from reconciler.clock import Clock
from reconciler.providers.base import PollAnswer, PollTrouble, Reply, Request
from reconciler.providers.capabilities import Lists, TaskPage

WINDOW = 0.05
"""Seconds in which callers that wake together are combined."""

Ask = Callable[[Request], Awaitable[Reply | PollTrouble]]


class PollBatcher:
    """The polls that wait for an answer; answered ones are not kept."""

    def __init__(
        self, dialect: Lists, ask: Ask, poll_one: Callable[[str], Awaitable[PollAnswer]], clock: Clock
    ) -> None:
        self._dialect, self._ask, self._poll_one, self._clock = dialect, ask, poll_one, clock
        self._waiting: dict[str, asyncio.Future[PollAnswer]] = {}
        self._runner: asyncio.Task[None] | None = None

    async def poll(self, task: str) -> PollAnswer:
        """Return the status of a task."""
        if task not in self._waiting:
            self._waiting[task] = asyncio.get_running_loop().create_future()
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return await asyncio.shield(self._waiting[task])

    async def aclose(self) -> None:
        """Stop polling and cancel the waiting callers."""
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()

    async def _run(self) -> None:
        await self._clock.sleep(WINDOW)
        while self._waiting:
            batch = dict(islice(self._waiting.items(), self._dialect.list_size))
            try:
                await self._answer(batch)
            except Exception as error:  # noqa: BLE001  # it is theirs: others wait for the next batch
                for future in batch.values():
                    if not future.done():
                        future.set_exception(error)
            finally:
                for task in batch:
                    self._waiting.pop(task, None)

    async def _answer(self, batch: Mapping[str, asyncio.Future[PollAnswer]]) -> None:
        listed = await self._list(tuple(batch)) if len(batch) > 1 else {}
        missing = [task for task in batch if task not in listed]
        polled = await asyncio.gather(*map(self._poll_one, missing))
        for task, answer in {**listed, **dict(zip(missing, polled, strict=True))}.items():
            if task in batch and not batch[task].done():
                batch[task].set_result(answer)

    async def _list(self, tasks: Sequence[str]) -> Mapping[str, PollAnswer]:
        """Return the answers of one list request; if it fails, every task gets its error."""
        reply = await self._ask(self._dialect.list_tasks(tasks))
        page = reply if isinstance(reply, PollTrouble) else self._dialect.read_list(reply)
        if isinstance(page, TaskPage):
            return {listed.task: listed.answer for listed in page.tasks}
        return dict.fromkeys(tasks, page)
