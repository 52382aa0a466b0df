"""Whose requests a process may call orphans: of a dead sender, and never its own while it sends."""

from __future__ import annotations

import pytest
from state_kit import order
from team_kit import Team

from reconciler.diagnostics import StateError
from reconciler.records import State
from reconciler.state.ledger import Facts


def test_a_sender_that_woke_up_late_says_that_it_did_not_send(team: Team) -> None:
    """Its successor has put the request in doubt, and would have to wait for the vendor's list to prove it absent."""
    ana, ben = team.member("ana"), team.member("ben")
    attempt = ana.begin(order())
    team.end_leases()
    (doubtful,) = ben.recover_orphans()
    assert doubtful.state is State.UNCERTAIN
    assert ana.move(attempt, State.NOT_SENT, Facts(message="too late")).state is State.NOT_SENT
    again = ben.begin(order())
    with pytest.raises(StateError, match="carries out|moved"):
        ana.move(attempt, State.UNCERTAIN)
    assert ben.attempts(again.key)[-1].state is State.SUBMITTING


def test_orphans_are_those_of_others_and_of_the_dead_not_what_this_process_sends(team: Team) -> None:
    ana, ben = team.member("ana"), team.member("ben")
    ana.begin(order())
    team.end_leases()
    assert ana.recover_orphans() == ()
    ben.begin(order("v1:bb"))
    assert ana.recover_orphans() == ()
    other = ana.of_project(team.connected("another"))
    assert other.recover_orphans() == ()
    assert len(team.member("ana").recover_orphans()) == 1  # the same working copy, after a kill
