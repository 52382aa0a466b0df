"""The protocol as a model: with all cures the key is bought once in every state, and without each of them twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability.model.explore import CURES, SMALL, explore, missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"not installed: {missing()} (apt-get install spin gcc)")


def test_no_order_of_events_buys_twice_or_calls_a_purchase_absent(tmp_path: Path) -> None:
    explored = explore(tmp_path, *SMALL)
    assert not explored.broken
    assert explored.states > 1_000_000


@pytest.mark.parametrize("cure", CURES)
def test_without_a_cure_the_model_buys_twice(cure: str, tmp_path: Path) -> None:
    assert explore(tmp_path, cure, *CURES[cure]).bought_twice


def test_it_is_the_jump_of_the_clock_that_breaks_a_local_clock(tmp_path: Path) -> None:
    assert not explore(tmp_path, "LOCAL_CLOCK", "TIME=6", "JUMPS=0").broken
