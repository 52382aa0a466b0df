"""Options that all tests share, and the end of the processes that they start."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.artifacts.radosgw import RealS3, is_installed, radosgw
from tests.program import start, workers

settings.register_profile("clipform", deadline=None)  # a slow machine is no fault
settings.load_profile("clipform")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` rewrites expectations that are data files; the difference is reviewed like code."""
    parser.addoption("--update", action="store_true", help="rewrite expected data files")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The proof of never paying twice comes first: its tests are the longest, and none should end alone."""
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
        pytest.skip("NOT RUN against a real S3 server: apt-get install radosgw ceph-mon ceph-osd")
    with radosgw(tmp_path_factory.mktemp("s3")) as server:
        yield server
