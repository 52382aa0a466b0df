"""Options that all tests share, and the end of the processes that they start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.program import start, workers

settings.register_profile("clipform", deadline=None)  # a slow machine is no fault
settings.load_profile("clipform")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` rewrites expectations that are data files; the difference is reviewed like code."""
    parser.addoption("--update", action="store_true", help="rewrite expected data files")


@pytest.fixture(scope="session", autouse=True)
def children() -> Iterator[None]:
    """Media workers begin in milliseconds, and nothing that was started outlives the session."""
    with workers.forked():
        yield
    start.stop()
