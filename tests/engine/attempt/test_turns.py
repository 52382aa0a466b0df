"""An account has turns over all machines; what one machine does until its own has come."""

from __future__ import annotations

import pytest

from reconciler.state.accounts import NotYet
from reconciler.state.ledger import Ledger
from tests.reliability.simulator.sim import Sim
from tests.reliability.simulator.vendor import FakeTransport

SPACING = 0.4


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_the_turn_of_this_process_is_kept_while_others_have_that_of_the_account(
    sim: Sim, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    """Who gave it back after each try might never have both at one time."""
    begin, slot, tries, slots = Ledger.begin, FakeTransport.slot, list[float](), list[float]()

    def others_first(store: Ledger, *about: object) -> object:
        tries.append(sim.clock.time)
        if len(tries) <= taken:
            raise NotYet("waits for its turn", "no-turn", SPACING)
        return begin(store, *about)  # type: ignore[arg-type]

    def counted(transport: FakeTransport) -> object:
        slots.append(sim.clock.time)
        return slot(transport)

    monkeypatch.setattr(Ledger, "begin", others_first)
    monkeypatch.setattr(FakeTransport, "slot", counted)
    assert sim.apply().exit_code == 0
    assert len(slots) == 1 and len(tries) == taken + 1
    assert tries[-1] - tries[0] == pytest.approx(taken * SPACING)
    assert sim.states("hero") == ["done"] and len(sim.server.ledger) == 1


def test_an_interrupt_ends_the_wait_for_a_turn(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(store: Ledger, *about: object) -> object:
        raise NotYet("waits for its turn", "no-turn", SPACING)

    monkeypatch.setattr(Ledger, "begin", never)
    assert sim.apply(timeout=3.0).exit_code == 3
    assert sim.attempts("hero") == [] and not sim.server.ledger
