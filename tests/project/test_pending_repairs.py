"""Who only looks sees what `apply` will say: after a kill, after a loss of the database, and while another is at it."""

from __future__ import annotations

import pytest

from reconciler.engine.run.session import look, open_session
from reconciler.plan.model import Action, Plan, Reason
from reconciler.project import workspace
from reconciler.project.workspace import Workspace
from reconciler.state.lock import Lock
from tests.reliability.simulator import checker
from tests.reliability.simulator.sim import ALL, HEAD, Sim

PAIR = HEAD + "clips:\n  hero: {prompt: a lamp}\n  intro: {prompt: a candle}\n"


def seen(workspace: Workspace) -> Plan:
    return workspace.plan(ALL, workspace.load()).plan


def known(sim: Sim) -> Plan:
    """The plan that a writer shows, who brings the records up to date at its start."""
    with open_session(sim.workspace, "apply") as opened:
        return look(opened, ALL).plan


def agree(sim: Sim) -> Plan:
    """A reader shows what a writer does, and writes nothing."""
    before = checker.picture(sim.root)
    shown = seen(sim.workspace)
    assert checker.picture(sim.root) == before
    assert shown.steps == known(sim).steps
    return shown


def lose(sim: Sim, backup: bytes | None = None) -> None:
    """The database is gone; `backup` is what is put in its place."""
    database = sim.root / "state/clipform.db"
    database.with_name("clipform.db-journal").unlink(missing_ok=True)
    database.unlink()
    if backup is not None:
        database.write_bytes(backup)


@pytest.mark.parametrize("at", range(35, 66))
def test_wherever_a_run_is_killed_a_reader_shows_what_the_next_will_say(sim: Sim, at: int) -> None:
    assert sim.dies(at).dead
    agree(sim)


def test_a_request_that_nobody_is_sending_any_more_is_in_doubt(sim: Sim) -> None:
    sim.save()
    names = sim.dies(None).names
    sim.load()
    assert sim.dies(names.index("vendor.submit after") + 1).dead
    (step,) = agree(sim).steps
    assert (step.action, step.reason) == (Action.BLOCKED, Reason.UNCERTAIN)


def test_a_request_that_another_process_is_sending_is_under_way(sim: Sim) -> None:
    shown: list[Plan] = []
    sim.server.at["submit", "hero"] = lambda: shown.append(seen(sim.workspace))
    sim.apply()
    assert [step.action for step in shown[0].steps] == [Action.RESUME]


def test_a_lost_database_is_not_taken_for_a_new_project(sim: Sim) -> None:
    sim.write(PAIR)
    sim.server.plan("intro", submit=["unknown-after"])
    sim.apply(detach=True)
    lose(sim)
    assert {step.clip: step.action for step in agree(sim).steps} == {"hero": Action.RESUME, "intro": Action.BLOCKED}


def test_an_older_database_does_not_hide_what_was_bought_since(sim: Sim) -> None:
    sim.apply(detach=True)
    backup = (sim.root / "state/clipform.db").read_bytes()
    sim.write(PAIR)
    sim.apply(detach=True)
    lose(sim, backup)
    assert {step.clip: step.action for step in agree(sim).steps}["intro"] is Action.RESUME


def test_an_answer_that_only_the_receipts_have_counts(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply(detach=True)
    (attempt,) = sim.attempts("hero")
    with open_session(sim.workspace, "apply") as opened:
        opened.receipts.accepted(attempt, "t-found")
    assert {step.action for step in agree(sim).steps} == {Action.RESUME}


def test_receipts_of_which_nothing_can_be_read_are_passed_over(sim: Sim) -> None:
    (sim.root / "state").mkdir()
    (sim.root / "state/receipts").write_bytes(b"\xff{" * 9000)
    assert [step.action for step in agree(sim).steps] == [Action.CREATE]


def test_what_nothing_is_to_be_done_for_is_not_copied(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    sim.apply()
    monkeypatch.setattr(workspace, "repaired_snapshot", None)
    assert [step.action for step in seen(sim.workspace).steps] == [Action.NOOP]


def test_what_is_foreseen_is_worked_out_once(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    watching = sim.workspace
    first = watching.snapshot(False)
    assert watching.snapshot(False) is first
    with Lock(sim.root / "state", "apply", sim.clock.now):
        assert watching.snapshot(False) is not first
