"""A store on disk or in memory, a clock that ticks, and a disk that is full."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from state_kit import Clock, Maker, memory_store
from team_kit import Connect, Team

from reconciler.state.store import Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(tmp_path / "state", clock) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def memory(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Store]:
    """A store in each kind of database that a ledger may be in."""
    with memory_store(clock) as opened:
        if request.param == "postgresql":
            sql = request.getfixturevalue("shared_sql")()
            opened = Store(sql, clock, opened.sql)
            opened.complete()
        yield opened


@pytest.fixture
def maker(memory: Store) -> Maker:
    return Maker(memory)


@pytest.fixture
def file_limit() -> Iterator[Callable[[int], AbstractContextManager[None]]]:
    """`with file_limit(n):` no file of this process grows beyond n bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    yield limited
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def team(shared_sql: Connect) -> Iterator[Team]:
    """Working copies with one ledger."""
    together = Team(shared_sql)
    yield together
    for store in together.stores:
        store.close()
