"""Whatever the vendor answers, and a kill at any point besides: paid once, nothing lost, and every run ends."""

from __future__ import annotations

import pytest

from tests.reliability.simulator.sim import Sim
from tests.reliability.simulator.stories import FAULTS

STRIDE = 37
"""Each fault is crossed with every thirty-seventh point, each with others: the long form has every fifth."""


@pytest.mark.parametrize("name", FAULTS)
def test_an_answer_leads_to_one_state_and_a_kill_to_no_second_purchase(name: str, sim: Sim) -> None:
    script, state = FAULTS[name]
    sim.server.plan("hero", **script)
    sim.save()
    start = list(FAULTS).index(name) % STRIDE + 1
    for k in (*range(start, 500, STRIDE), None):
        sim.load()
        wire = sim.dies(k)
        try:
            sim.safe()
            if not wire.dead:
                break
            sim.apply()  # the vendor goes on as it was
            sim.safe()
            _at_rest(sim, explain=False)
        except BaseException as error:
            error.add_note(f"after a kill at point {k}, {wire.names[-1]}")
            raise
    assert sim.states()[-1] == state
    _at_rest(sim)


def _at_rest(sim: Sim, *, explain: bool = True) -> None:
    """What the vendor says is over may be made anew once it is well, but nothing that is open or in doubt."""
    before = {a.id: a.state.value for a in sim.attempts()}
    bought = len(sim.server.ledger)
    sim.rest(explain=explain)
    if set(before.values()) & {"uncertain", "vanished", "no_output", "result_expired", "quarantined"}:
        assert len(sim.server.ledger) == bought, "a person decides"
        assert {a.id: a.state.value for a in sim.attempts()} == before
