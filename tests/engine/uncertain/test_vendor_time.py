"""Absence is judged by the vendor's clock: what the clock here says makes no list settle sooner."""

from __future__ import annotations

import pytest

from tests.engine.uncertain.test_lost_answers import bought, later, server
from tests.reliability.simulator.sim import Sim


@pytest.mark.parametrize("jump", [700.0, 80_000.0, -700.0, -80_000.0])
@pytest.mark.parametrize("script", ["unknown-after", "unknown-before"])
def test_a_clock_that_is_set_between_two_runs_makes_no_list_settle_sooner(script: str, jump: float, sim: Sim) -> None:
    """F90: the list lags, and the next run believes that much time has passed, or none."""
    server(sim).lag = 119.0
    sim.server.plan("hero", submit=[script])
    sim.apply()
    sim.clock.offset += jump
    for _ in range(3):
        sim.apply()
        assert bought(sim) == (script == "unknown-after"), "less than two minutes have passed"
    later(sim)
    for _ in range(2):
        sim.apply()
        sim.safe()
    assert bought(sim) == 1


def test_answers_without_a_date_never_prove_an_absence(sim: Sim) -> None:
    server(sim).dateless = True
    sim.server.plan("hero", submit=["unknown-before"])
    for _ in range(3):
        assert sim.apply().exit_code == 3
        later(sim)
    assert bought(sim) == 0
    assert "with the provider's time" in sim.notes.text()


def test_a_list_proves_nothing_about_the_day_before(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-before"])
    sim.apply()
    later(sim, 90_000.0)
    assert sim.apply().exit_code == 3
    sim.clock.offset -= 90_000.0  # also where the clock here says that it was just now
    assert sim.apply().exit_code == 3
    assert bought(sim) == 0


def test_the_time_of_the_first_look_is_on_record_and_one_more_run_settles_it(sim: Sim) -> None:
    server(sim).ahead = 5000.0
    sim.server.plan("hero", submit=["unknown-before"])
    sim.apply()
    looked = sim.attempts("hero")[0].looked
    assert looked is not None
    assert abs(looked - (sim.clock.time + 5000.0)) < 60
    later(sim, 130.0)
    sim.apply()
    assert sim.states("hero")[0] == "not_sent"
    assert sim.attempts("hero")[0].looked == looked
