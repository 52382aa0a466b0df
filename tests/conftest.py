"""Options that all tests share, and the end of the processes that they start."""

from __future__ import annotations

import gc
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import settings

from tests import tiers
from tests.artifacts.radosgw import RealS3, is_installed, radosgw
from tests.program import postgres, start, workers

if TYPE_CHECKING:
    from reconciler.state.sql.postgres import PostgreSQL

settings.register_profile("clipform", deadline=None)  # a slow machine is no fault
settings.load_profile("clipform")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` rewrites expectations that are data files; the difference is reviewed like code."""
    parser.addoption("--update", action="store_true", help="rewrite expected data files")
    parser.addoption("--tier", choices=tiers.TIERS, help="only what `make TIER` runs, by tests/tiers.yaml")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Read no file of which the tier runs nothing."""
    tier = config.getoption("--tier")
    if tier is None or not collection_path.is_relative_to(tiers.TESTS):
        return None
    return tiers.skips(tier, collection_path.relative_to(tiers.TESTS).as_posix(), tiers.table()) or None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tier's tests; the proof of never paying twice comes first: it is long, and none should end alone."""
    tests = {item: item.nodeid.removeprefix("tests/") for item in items}
    if not any("::" in argument for argument in config.args) and (lost := tiers.unused(tests.values(), tiers.table())):
        raise pytest.UsageError(f"tests/tiers.yaml names tests that do not exist: {', '.join(lost)}")
    if tier := config.getoption("--tier"):
        config.hook.pytest_deselected(items=[i for i in items if not tiers.runs(tier, tests[i], tiers.table())])
        items[:] = [item for item in items if tiers.runs(tier, tests[item], tiers.table())]
    items.sort(key=lambda item: "reliability" not in item.path.parts)


def pytest_collection_finish() -> None:
    """The garbage collector need not look again and again at what stays for the whole session."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def children() -> Iterator[None]:
    """Media workers begin in milliseconds, and nothing that was started outlives the session."""
    with workers.forked():
        yield
    start.stop()


@pytest.fixture(scope="session")
def real_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealS3]:
    """One server for all tests of a process; it takes as long to start as many tests."""
    if not is_installed():
        pytest.skip("NOT RUN against a real S3 server: apt-get install radosgw ceph-mon ceph-osd; .ci/test does")
    cause: Exception | None = None
    for _ in range(3):  # a stranger may take a port that was free, and a monitor that has just begun may refuse
        with ExitStack() as running:
            try:
                server = running.enter_context(radosgw(tmp_path_factory.mktemp("s3")))
            except (subprocess.SubprocessError, httpx.HTTPError) as error:
                cause = error
                continue
            yield server
            return
    pytest.skip(f"NOT RUN against a real S3 server: it did not start: {cause}")


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server."""
    base = tmp_path_factory.getbasetemp()
    with postgres.server(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) as url:
        if url is None:
            pytest.skip("NOT RUN against PostgreSQL: initdb was not found; .ci/test installs it")
        yield url


@pytest.fixture
def shared_sql(database: str) -> Iterator[Callable[..., PostgreSQL]]:
    """Connections to an empty schema of this test, each like that of another process."""
    from reconciler.state import shared, shared_schema  # the driver is loaded where it is needed

    schema = f"test_{secrets.token_hex(6)}"
    opened: list[PostgreSQL] = []

    def connected(project: str = "film") -> PostgreSQL:
        opened.append(shared.connect(database, schema, project))
        return opened[-1]

    shared_schema.migrate(connected())
    yield connected
    with opened[0].transaction():
        opened[0].execute(f"DROP SCHEMA {schema} CASCADE")
    for sql in opened:
        sql.close()
