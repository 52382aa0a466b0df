"""Commands at random: whatever a user does and whatever dies, nothing is paid twice, lost or overwritten."""

from __future__ import annotations

from tests.reliability.commands.play import play
from tests.reliability.figures import Tally


def test_any_order_of_commands_keeps_every_promise() -> None:
    tally = Tally()
    play(tally, first=1, examples=20, steps=15)
    assert tally.broken == []
    assert tally.scenarios.total() >= 20
