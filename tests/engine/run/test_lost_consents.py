"""What the user decided is in the receipts: a database that is lost, or an older one, does not ask again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.engine.operations import resolve
from reconciler.engine.run.session import Session, open_session
from reconciler.project.model import Choice
from reconciler.records import Attempt, Money
from tests.engine.run.test_lost_database import copy, lose
from tests.reliability.simulator.sim import Sim

Decide = Callable[[Session, Attempt], None]
WORDS = {"in doubt": {"submit": ["unknown-before"]}, "failed": {"poll": ["fail-billed"]}}


def decide(sim: Sim, how: Decide) -> None:
    with open_session(sim.workspace, "resolve") as session:
        how(session, resolve.unresolved_attempt(session, "hero", None))


def planned(sim: Sim) -> tuple[str, str]:
    """What a new process plans, once it has merged the receipts."""
    with open_session(sim.workspace, "plan"):
        pass
    [step] = sim.workspace.plan(Choice(), sim.workspace.load()).plan.steps
    return step.action.value, step.reason.value


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize(
    ("how", "plan"), [(resolve.allow_again, ("create", "send_again")), (resolve.abandon, ("blocked", "given_up"))]
)
def test_a_decision_outlives_the_database(how: Decide, plan: tuple[str, str], word: str, older: bool, sim: Sim) -> None:
    sim.server.plan("hero", **WORDS[word])
    sim.apply()
    backup = copy(sim)
    decide(sim, how)
    assert planned(sim) == plan
    lose(sim, backup if older else None)
    assert planned(sim) == plan
    assert planned(sim) == plan  # the second merge finds nothing
    [attempt] = sim.attempts()
    assert (attempt.state.value, attempt.money, attempt.cost_micros) == ("abandoned", Money.SETTLED, 500_000)


@pytest.mark.parametrize("older", [False, True])
def test_what_was_bought_after_a_decision_is_collected(older: bool, sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    backup = copy(sim)
    decide(sim, resolve.allow_again)
    sim.apply(detach=True)
    assert len(sim.server.ledger) == 2
    lose(sim, backup if older else None)
    assert sim.apply().exit_code == 0
    assert sim.states() == ["abandoned", "done"]
    assert len(sim.server.ledger) == 2


def test_a_decision_that_was_not_committed_holds_for_the_next_process(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    sim.save()
    for point in range(1, 40):
        sim.load()
        wire = sim.dies(point, lambda: decide(sim, resolve.allow_again))
        if not wire.dead:
            break
        assert planned(sim) in {("blocked", "uncertain"), ("create", "send_again")}
        sim.safe()
    assert planned(sim) == ("create", "send_again")
