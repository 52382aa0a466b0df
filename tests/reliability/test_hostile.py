"""Input made to hurt: diagnostics or an honest "unknown", soon, in little memory; and bounds that bite."""

from __future__ import annotations

import pytest

from tests.reliability import hostile, limits
from tests.reliability.figures import Tally

if reason := limits.unable():
    pytest.skip(reason, allow_module_level=True)


@pytest.mark.parametrize("sort", hostile.SORTS)
def test_any_input_is_read_as_what_it_proves_or_told_about(sort: str) -> None:
    tally = Tally()
    count = 5 if sort == "projects" else 200
    limits.bounded(tally, sort, range(count))
    assert (tally.broken, tally.tracebacks, tally.wrong_class) == ([], 0, 0)
    assert tally.inputs[sort] >= count
    assert tally.slowest < limits.CPU
    assert tally.largest < limits.MEMORY


@pytest.mark.parametrize("sort", limits.PLANTED)
def test_an_input_that_breaks_a_bound_is_caught(sort: str) -> None:
    tally = Tally()
    limits.bounded(tally, sort, range(1), cpu=1, memory=64 << 20)
    assert len(tally.broken) == 1
    assert tally.tracebacks + tally.wrong_class == 1


def test_a_gate_that_lets_everything_through_is_caught() -> None:
    """Without the gate of trust a hostile project reaches an address that nobody agreed to."""
    tally = Tally()
    limits.bounded(tally, "projects without a gate", range(20, 21))
    assert [text[:3] for text in tally.broken] == ["I9:"]
