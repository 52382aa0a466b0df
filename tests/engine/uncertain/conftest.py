"""A project at a vendor that has a list."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.uncertain.listing import listing_sim
from tests.reliability.simulator.sim import Sim


@pytest.fixture
def fast_path() -> Iterator[Path]:
    """A folder in memory where there is one: a sync costs nothing there."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="clipform-test-", dir=memory if memory.is_dir() else None)
    yield Path(folder)
    shutil.rmtree(folder)


@pytest.fixture(params=["seeded", "plain"])
def sim(request: pytest.FixtureRequest, fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sim:
    """`old` is made, `hero` is to come; the vendor shows our seed, or the whole request."""
    return listing_sim(fast_path / "project", monkeypatch, request.param)
