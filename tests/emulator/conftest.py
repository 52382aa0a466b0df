"""The rig, and rigs with faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.emulator.kit import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.close()


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    """Makes a rig with the rules it is given."""
    made: list[Rig] = []

    def make(*faults: dict[str, object]) -> Rig:
        made.append(Rig(tmp_path, *faults))
        return made[-1]

    yield make
    for one in made:
        one.close()
