"""An abandoned request can be taken back by naming its task, as long as nothing was bought for it since."""

from __future__ import annotations

import pytest

from reconciler.diagnostics import ClipformError, UsageError
from reconciler.engine.connections.one_off import ProviderAccess
from reconciler.engine.operations import adopt_task, resolve
from reconciler.engine.run.session import open_session
from reconciler.project.model import Choice
from tests.reliability.simulator.sim import HEAD, Sim

TAKES = HEAD + "clips:\n  hero: {prompt: a lamp, takes: 2}\n"


def abandon(sim: Sim, take: int | None = None) -> tuple[str, ...]:
    with open_session(sim.workspace, "resolve") as session:
        return resolve.abandon(session, resolve.unresolved_attempt(session, "hero", take))


def reopen(sim: Sim, task: str, take: int | None = None) -> None:
    with open_session(sim.workspace, "resolve") as session:
        attempt = resolve.unresolved_attempt(session, "hero", take, reopen=True)
        adopt_task.adopt_task(session, attempt, task, ProviderAccess(sim.workspace.load(), sim.connect))


@pytest.mark.parametrize("word", ["unknown-after", "accept"])
def test_the_video_comes_and_nothing_is_bought(word: str, sim: Sim) -> None:
    sim.server.plan("hero", submit=[word], poll=["*not-found"])
    sim.apply()
    abandon(sim)
    sim.server.heal()
    assert sim.apply().exit_code == 3  # it stays given up
    reopen(sim, "task-1")
    assert sim.apply().exit_code == 0
    assert (sim.output("renders/hero.mp4"), len(sim.server.ledger)) == (sim.server.content("task-1"), 1)


def test_what_was_taken_back_stays_so_when_the_receipts_are_merged_again(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    abandon(sim)
    sim.server.plan("hero", poll=["*not-found"])
    with pytest.raises(ClipformError):
        reopen(sim, "task-1")
    sim.server.heal()
    reopen(sim, "task-1")
    sim.server.plan("hero", fetch=["*dead"])
    sim.apply()
    assert sim.states() == ["result_expired"]
    sim.server.heal()
    sim.apply()
    assert sim.states() == ["result_expired"]  # and not abandoned by its older receipt
    (sim.root / "state/clipform.db").unlink()
    assert sim.apply().exit_code == 0
    assert (sim.output("renders/hero.mp4"), len(sim.server.ledger)) == (sim.server.content("task-1"), 1)


def test_a_known_task_cannot_become_another(sim: Sim) -> None:
    sim.server.plan("hero", poll=["*not-found"])
    sim.apply()
    abandon(sim)
    with pytest.raises(ClipformError, match="hero is task task-1"):
        reopen(sim, "task-2")


def test_nothing_is_reopened_once_another_version_is_wanted(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    abandon(sim)
    sim.write(HEAD + "clips:\n  hero: {prompt: a torch}\n")
    with pytest.raises(UsageError):
        reopen(sim, "task-1")


def test_giving_up_one_take_offers_that_take_again_with_its_price(sim: Sim) -> None:
    sim.write(TAKES)
    sim.server.plan("hero#2", submit=["unknown-before"])
    sim.apply()
    lines = abandon(sim, 2)
    assert lines == (
        "clipform resolve hero --take 2 --task ID  # take that back: use the provider's task (free)",
        "clipform retake 'hero#2'  # generate a new variation at the next apply (costs 0.50)",
    )
    [step] = sim.workspace.plan(Choice(), sim.workspace.load()).plan.blocked()
    assert step.way_out == lines
