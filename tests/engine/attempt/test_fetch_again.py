"""A task whose result did not come may be looked at again: for free, and only by the user's word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from reconciler.diagnostics import ClipformError
from reconciler.engine.connections import one_off
from reconciler.engine.operations import adopt_task, import_task, resolve
from reconciler.engine.run.session import open_session
from reconciler.project.model import Choice
from tests.reliability.simulator.sim import Sim

TROUBLE: Mapping[str, Mapping[str, Sequence[str]]] = {
    "result_expired": {"fetch": ["*dead"]},
    "no_output": {"poll": ["*no-link"]},
    "vanished": {"poll": ["*not-found"]},
    "quarantined": {"fetch": ["*junk"]},
}


@pytest.mark.parametrize("state", TROUBLE)
def test_once_the_trouble_is_over_the_result_is_collected_and_nothing_is_bought(state: str, sim: Sim) -> None:
    sim.server.plan("hero", **TROUBLE[state])
    assert sim.apply().exit_code == 3
    assert sim.states() == [state]
    [step] = sim.workspace.plan(Choice(), sim.workspace.load()).plan.steps
    assert step.way_out[0] == "clipform resolve hero --task task-1  # check this task again (free)"
    sim.server.heal()
    assert sim.apply().exit_code == 3  # nothing is looked at unasked
    with open_session(sim.workspace, "resolve") as session:
        attempt = resolve.unresolved_attempt(session, "hero", None)
        remote = one_off.ProviderAccess(sim.workspace.load(), sim.connect)
        with pytest.raises(ClipformError, match="hero is task task-1"):
            adopt_task.adopt_task(session, attempt, "task-2", remote)
        adopt_task.adopt_task(session, attempt, "task-1", remote)
    assert sim.apply().exit_code == 0
    assert sim.output("renders/hero.mp4") == sim.server.content("task-1")
    assert (len(sim.server.ledger), sim.states()) == (1, ["done"])


def test_an_import_answers_the_question_that_an_import_cut_short_left(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    with open_session(sim.workspace, "import") as session:
        loaded = sim.workspace.load()
        import_task.import_task(
            session,
            loaded.orders[0],
            import_task.TaskImport("task-1", "m"),
            one_off.ProviderAccess(loaded, sim.connect),
        )
    assert sim.apply().exit_code == 0
    assert (len(sim.server.ledger), sim.states()) == (1, ["done"])


def test_a_task_that_the_provider_still_does_not_know_stays_what_it_is(sim: Sim) -> None:
    sim.server.plan("hero", poll=["*not-found"])
    sim.apply()
    with open_session(sim.workspace, "resolve") as session:
        attempt = resolve.unresolved_attempt(session, "hero", None)
        with pytest.raises(ClipformError, match="does not know"):
            adopt_task.adopt_task(session, attempt, "task-1", one_off.ProviderAccess(sim.workspace.load(), sim.connect))
    assert sim.states() == ["vanished"]
