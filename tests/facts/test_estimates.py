"""Over random clips of every model the estimate is never below the bill, and close to it where nothing is left open."""

from __future__ import annotations

from fractions import Fraction
from statistics import median

from tests.emulator.kit import Rig
from tests.facts.estimates import quotients

CLIPS = 300


def test_an_estimate_is_never_below_the_bill(rig: Rig) -> None:
    results = quotients(rig, CLIPS)
    stated = [result for is_open, result in results if not is_open]
    assert len(stated) > CLIPS // 2
    assert min(result for _, result in results) >= 1
    assert max(stated) < Fraction(1001, 1000)
    assert median(result for _, result in results) <= Fraction(101, 100)
