"""Specs and replies made to hurt: diagnostics or an honest "unknown", soon, and in little memory."""

from __future__ import annotations

import pytest

from tests.reliability import hostile
from tests.reliability.figures import Tally


def test_any_spec_is_read_or_told_about() -> None:
    _assert_well(hostile.specs, range(400))


@pytest.mark.parametrize("group", range(3))
def test_any_reply_is_read_as_what_it_proves(group: int) -> None:
    _assert_well(hostile.answers, range(100 * group, 100 * group + 100))


def _assert_well(play: object, seeds: range) -> None:
    tally = Tally()
    play(tally, seeds)  # type: ignore[operator]
    assert (tally.broken, tally.tracebacks, tally.wrong_class) == ([], 0, 0)
    assert tally.slowest < 10
    assert tally.largest < 512_000_000
