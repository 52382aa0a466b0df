"""What the tests of hosting share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosting.bucket import BucketServer


@pytest.fixture
def bucket() -> Iterator[BucketServer]:
    """An S3 server on loopback."""
    with BucketServer() as server:
        yield server


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty project folder."""
    return tmp_path / "project"
