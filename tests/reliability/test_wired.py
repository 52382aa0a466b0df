"""Whatever an exchange comes to, with the real transport: money is safe, manners are kept, and every run ends."""

from __future__ import annotations

import pytest

from tests.reliability import wired_sweeps
from tests.reliability.figures import Tally
from tests.reliability.simulator import wired

PHASES = ("submit", "poll", "fetch")


@pytest.mark.parametrize("phase", PHASES)
def test_an_exchange_that_goes_wrong_once_ends_in_its_state_and_heals(phase: str) -> None:
    tally = Tally()
    wired_sweeps.single(tally, phase)
    assert tally.broken == []
    assert tally.scenarios.total() >= len(wired.faults()[phase])


@pytest.mark.parametrize("phase", PHASES)
def test_exchanges_that_always_go_wrong_end_the_run_in_time_and_with_moderation(phase: str) -> None:
    tally = Tally()
    wired_sweeps.for_ever(tally, phase, 3)
    assert tally.broken == []


@pytest.mark.parametrize("phase", PHASES)
def test_a_kill_besides_costs_nothing_twice(phase: str) -> None:
    tally = Tally()
    wired_sweeps.and_kills(tally, phase, 149)
    assert tally.broken == []
