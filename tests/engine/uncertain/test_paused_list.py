"""A pause that a vendor asked of one machine holds for the look-ups of all."""

from __future__ import annotations

import pytest

from reconciler.state.store import Store
from tests.engine.uncertain.listing import ListingServer, ListingTransport
from tests.reliability.simulator.sim import Sim

PAUSE = 50.0


@pytest.fixture
def readings(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When the list was read."""
    times, answer = list[float](), ListingServer.answer_list

    def noted(server: ListingServer, *about: int) -> object:
        times.append(sim.clock.time)
        return answer(server, *about)

    monkeypatch.setattr(ListingServer, "answer_list", noted)
    return times


def test_a_list_is_read_once_the_pause_of_another_machine_is_over(
    sim: Sim, readings: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    until = [0.0]
    monkeypatch.setattr(Store, "paused", lambda *_: max(0.0, until[0] - sim.clock.time))
    sim.server.plan("hero", submit=["unknown-after"])
    until[0] = sim.clock.time + PAUSE
    for _ in range(9):
        sim.apply()
        sim.clock.time += PAUSE / 4
    assert readings and min(readings) >= until[0]
    assert sim.apply().exit_code == 0
    assert [task.label for task in sim.server.ledger.values()].count("hero") == 1


def test_a_pause_that_a_list_was_answered_with_is_told_to_the_others(
    sim: Sim, readings: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = list[float]()
    monkeypatch.setattr(Store, "pause", lambda store, account, seconds: pauses.append(seconds))
    monkeypatch.setattr(ListingTransport, "paused", property(lambda _: PAUSE if readings else 0.0))
    sim.server.plan("hero", submit=["unknown-before"])
    sim.apply()
    assert PAUSE in pauses
