"""Another computer sends the same request with the same account, shortly before ours is lost."""

from __future__ import annotations

import pytest

from tests.reliability.commands.play import Commands


@pytest.mark.parametrize("wait", [20.0, 200.0, 280.0])
@pytest.mark.parametrize("lag", [0.0, 100.0])
def test_its_task_is_not_taken_for_ours_before_ours_can_be_listed(lag: float, wait: float) -> None:
    session = Commands()
    with session.stack:
        session.begin(("plain", lag))
        session.apply()
        session.time_passes(3600.0)
        session.edit("b", "a candle")
        session.second_checkout_applies(None)
        session.time_passes(wait)
        session.sim.server.plan("b", submit=["unknown-after"])
        for _ in range(3):
            session.apply()
            session.sim.safe()
            session.time_passes(60.0)
        assert session.sim.states()[-1] == "uncertain", "two tasks may be ours"
