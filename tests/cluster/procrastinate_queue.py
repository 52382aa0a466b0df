"""A queue of Procrastinate: a second engine behind the same port, in case the first is given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

import procrastinate
from procrastinate import RetryDecision
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy

from reconciler.cluster.dispatch import Handle


class _Again(Exception):
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class _Retry(BaseRetryStrategy):
    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        return RetryDecision(retry_in={"seconds": exception.seconds}) if isinstance(exception, _Again) else None


class ProcrastinateDispatch:
    """See `reconciler.cluster.dispatch.Dispatch`. Its limit of an account is one of this process; and jobs of dead
    workers would need a sweep."""

    def __init__(self, app: procrastinate.App) -> None:
        self._app = app
        self._handle: Handle | None = None
        app.task(name="carry_out", retry=_Retry(), pass_context=False)(self._carry_out)

    async def _carry_out(self, key: str) -> None:
        assert self._handle is not None
        again = await self._handle(key)
        if again is not None:
            raise _Again(again)

    async def enqueue(self, keys: Collection[tuple[str, str]]) -> None:
        for key, account in keys:
            job = self._app.configure_task("carry_out", queue=account, lock=key, queueing_lock=key)
            try:
                await job.defer_async(key=key)
            except AlreadyEnqueued:
                continue

    async def run(
        self,
        slots: Mapping[str, int],
        handle: Handle,
        stop: asyncio.Event,
        *,
        once: bool = False,
        at_once: int | None = None,
    ) -> None:
        self._handle = handle
        workers = [
            asyncio.ensure_future(
                self._app.run_worker_async(
                    queues=[account],
                    concurrency=min(most or 100, at_once or 100),
                    wait=not once,
                    fetch_job_polling_interval=0.1,
                    install_signal_handlers=False,
                    delete_jobs="successful",
                )
            )
            for account, most in slots.items()
        ]
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait({stopped, asyncio.ensure_future(asyncio.wait(workers))}, return_when="FIRST_COMPLETED")
        for worker in workers:
            worker.cancel()  # it waits for its jobs
        await asyncio.gather(*workers, return_exceptions=True)
        stopped.cancel()

    async def held(self) -> int:
        jobs = await self._app.job_manager.list_jobs_async(status="failed")
        return len([*jobs])


@asynccontextmanager
async def procrastinate_queue(url: str, schema: str) -> AsyncIterator[ProcrastinateDispatch]:
    """A queue in the tables of Procrastinate, made in this schema."""
    options = {"options": f"-csearch_path={schema}"}
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, kwargs=options))
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        yield ProcrastinateDispatch(app)
