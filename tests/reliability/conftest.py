"""Fixtures: a project with a vendor in memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability.simulator.sim import ONE, Sim
from tests.reliability.simulator.vendor import Server
from tests.reliability.simulator.videos import tiny


@pytest.fixture
def sim(fast_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sim:
    """One clip, nothing bought yet."""
    found = Sim(fast_path / "project", Server(tiny(1), tiny(3)), monkeypatch)
    found.write(ONE)
    return found


@pytest.fixture
def fast_path() -> Iterator[Path]:
    """A folder in memory where there is one: a sync costs nothing there, and a kill does not lose what is cached."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="clipform-test-", dir=memory if memory.is_dir() else None)
    yield Path(folder)
    shutil.rmtree(folder)
