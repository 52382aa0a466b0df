"""Shares keys out among workers: the port to a queue, and PgQueuer behind it.

A queue is a hint. It may lose a key, which `resync` notices, or give it out twice, which the attempts do not mind. A
job is a key, and its entrypoint is an account: a worker takes those that it has credentials of, and at most as many
jobs of an account are given out at one time, over all workers, as the account has slots. A job stays with its worker
until the key is done, so that nobody else waits for the lease of its attempt; when the worker dies or freezes, its
heartbeat ends, and another one takes the job.

Rejected: Procrastinate (jobs of dead workers need a sweep of our own; it passes the same tests), DBOS (left half of a
thousand jobs behind in a trial), and engines with a server of their own.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from reconciler.diagnostics import StateError, StateUnreachable, no_extra

if TYPE_CHECKING:
    import asyncpg
    from pgqueuer.models import Job
    from pgqueuer.ports.driver import Driver
    from pgqueuer.queries import Queries

HEARTBEAT = timedelta(seconds=30)
"""After this time without a sign of its worker a job is given to another one."""
_BATCH = 10
_LOOK = timedelta(seconds=5)
"""Longest time until a job is noticed whose announcement was lost."""

Handle = Callable[[str], Awaitable[float | None]]
"""Carries out a key. Returns the seconds after which it wants the key again, None when it is done with it."""


class Dispatch(Protocol):
    """A queue of keys. Errors are ClipformErrors."""

    async def enqueue(self, keys: Collection[tuple[str, str]]) -> None:
        """Put keys, each with its account, into the queue, except those that are in it or given out."""

    async def run(
        self,
        slots: Mapping[str, int],
        handle: Handle,
        stop: asyncio.Event,
        *,
        once: bool = False,
        at_once: int | None = None,
    ) -> None:
        """Give keys of these accounts to `handle`, at most so many of an account at one time over all workers (0: any
        number), and `at_once` here, until `stop` is set, or with `once` until the queue is empty; then wait for what
        was given out."""

    async def held(self) -> int:
        """Return how many jobs ended by an error that `handle` did not expect, and are kept to be looked at."""


class PgQueuerDispatch:
    """A queue in the tables of PgQueuer, in a schema of PostgreSQL."""

    def __init__(self, pool: asyncpg.Pool, schema: str) -> None:
        self._pool, self._schema = pool, schema

    async def prepare(self) -> None:
        """Create the tables of the queue, once. Raises ClipformError without the right to."""
        from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver

        number = int.from_bytes(hashlib.sha256(f"clipform queue {self._schema}".encode()).digest()[:7], "big")
        with _translated():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", number)
                queries = self._queries(AsyncpgDriver(connection))
                if not await queries.schema_is_installed():
                    await queries.install(create_schema=False)

    async def enqueue(self, keys: Collection[tuple[str, str]]) -> None:
        """Put keys into the queue, see `Dispatch`."""
        if keys:
            names, accounts = [key for key, _ in keys], [account for _, account in keys]
            payloads: list[bytes | None] = [name.encode() for name in names]
            dedupe: list[str | None] = [*names]
            with _translated():
                await self._queries().enqueue(
                    accounts, payloads, [0] * len(names), dedupe_key=dedupe, on_conflict="skip"
                )

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
        from pgqueuer.core.qm import QueueManager
        from pgqueuer.errors import RetryRequested
        from pgqueuer.types import QueueExecutionMode

        queries = self._queries()
        manager = QueueManager(queries, queries.qbe.settings.channel)
        manager.shutdown = stop

        async def carried_out(job: Job) -> None:
            again = await handle((job.payload or b"").decode())
            if again is not None:
                raise RetryRequested(timedelta(seconds=again))

        for account, most in slots.items():
            register = manager.entrypoint(account, concurrency_limit=most, on_failure="hold", accepts_context=False)
            register(carried_out)
        with _translated():
            await manager.run(
                dequeue_timeout=_LOOK,
                batch_size=_BATCH if at_once is None else max(1, at_once // 2),
                max_concurrent_tasks=None if at_once is None else max(2, at_once),  # it asks for two batches or more
                mode=QueueExecutionMode.drain if once else QueueExecutionMode.continuous,
                shutdown_on_listener_failure=False,
                heartbeat_timeout=HEARTBEAT,
            )

    async def held(self) -> int:
        """Return how many jobs are kept, see `Dispatch`."""
        with _translated():
            return len(await self._queries().list_failed_jobs(limit=1000))

    def _queries(self, driver: Driver | None = None) -> Queries:
        """Return PgQueuer's statements for our schema. Announcements have one name in a whole database, so it is in
        theirs."""
        from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
        from pgqueuer.adapters.persistence import qb
        from pgqueuer.domain.settings import DBSettings
        from pgqueuer.queries import Queries
        from pgqueuer.types import Channel

        settings = DBSettings(db_schema=self._schema, prefix="", channel=Channel(f"clipform_{self._schema}"))
        return Queries(
            driver or AsyncpgPoolDriver(self._pool),
            qbe=qb.QueryBuilderEnvironment(settings),
            qbq=qb.QueryQueueBuilder(settings),
            qbs=qb.QuerySchedulerBuilder(settings),
        )


@asynccontextmanager
async def pgqueuer(url: str, schema: str) -> AsyncIterator[PgQueuerDispatch]:
    """Connect to the queue of a shared state, and set it up if need be. Raises ClipformError."""
    if find_spec("pgqueuer") is None or find_spec("asyncpg") is None:
        raise no_extra("a worker", "team", "cluster", "s3")
    import asyncpg

    with _translated():
        pool = await asyncpg.create_pool(url, min_size=2, max_size=5, server_settings={"application_name": "clipform"})
    try:
        queue = PgQueuerDispatch(pool, schema)
        await queue.prepare()
        yield queue
    finally:
        pool.terminate()


@contextmanager
def _translated() -> Iterator[None]:
    """Raise errors of the queue's database as StateErrors."""
    import asyncpg

    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        help = "start the first worker with a role that may create tables in the schema"
        raise StateError(f"the database refuses this role: {error}", help=help, code="state-rights") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise StateUnreachable(f"the queue cannot be reached: {error}", code="state-unreachable") from error
