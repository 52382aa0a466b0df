"""What the tests of hosting share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.inputs.bucket import BucketServer


@pytest.fixture
def bucket() -> Iterator[BucketServer]:
    """An S3 server on loopback."""
    with BucketServer() as server:
        yield server


@pytest.fixture
def root() -> Iterator[Path]:
    """An empty project folder, in memory where there is one: a sync costs nothing there."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="clipform-test-", dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder) / "project"
