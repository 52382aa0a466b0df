"""What only a person can settle: each way out that is printed works as it is printed."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from itertools import count

import pytest

from reconciler.cli.app import main
from reconciler.diagnostics import ClipformError, UsageError
from reconciler.engine.connections import one_off
from reconciler.engine.operations import adopt_task, import_task, resolve
from reconciler.engine.run.session import open_session
from reconciler.plan.remedies import command_of
from reconciler.project.model import Choice
from reconciler.records import Attempt
from reconciler.views.status import status
from tests.reliability.simulator.sim import HEAD, Sim

WAYS = ("--task ID", "--resubmit", "--abandon")
WAYS_OF = {1: ("--task ID", "--abandon"), 2: WAYS}
"""Attempt 1 made a version that the clip does not ask for any more: it is not sent again."""


def hero(prompt: str, more: str = "") -> str:
    return f"{HEAD}clips:\n  hero: {{prompt: {prompt}{more}}}\n"


def commands(lines: str) -> list[str]:
    """The commands of an outcome's help, without their meanings."""
    return [command_of(line) for line in lines.splitlines()]


# --- several that wait --------------------------------------------------------------------------


@pytest.fixture
def doubtful(sim: Sim) -> Sim:
    """A clip in doubt that was edited, and is in doubt again: attempts 1 and 2, both of take 1."""
    for prompt in ("a lamp", "a torch"):
        sim.server.plan("hero", submit=["unknown-after"])
        sim.write(hero(prompt))
        sim.apply()
    assert sim.states() == ["uncertain", "uncertain"]
    return sim


def found(sim: Sim, take: int | None, number: int | None) -> Attempt:
    with open_session(sim.workspace, "resolve") as session:
        return resolve.unresolved_attempt(session, "hero", take, number)


@pytest.mark.parametrize("take", [None, 1])
def test_of_two_versions_in_doubt_each_is_settled_by_its_number(take: int | None, doubtful: Sim) -> None:
    for attempt in doubtful.attempts():
        assert found(doubtful, take, attempt.id) == attempt
    with pytest.raises(UsageError) as told:
        found(doubtful, take, None)
    assert told.value.help == "choose one with --attempt N"
    for number in (1, 2):
        assert f"attempt {number}: uncertain at studio (film), no task id, since " in told.value.message
    with pytest.raises(UsageError, match="attempt 3 of hero is not unresolved"):
        found(doubtful, take, 3)


def test_plan_and_apply_name_the_number_of_a_version_in_doubt(doubtful: Sim) -> None:
    planned = doubtful.workspace.plan(Choice(), doubtful.workspace.load()).plan
    ways = {command_of(line) for step in planned.steps for line in step.way_out}
    expected = {f"clipform resolve hero --attempt {n} {way}" for n in (1, 2) for way in WAYS_OF[n]}
    assert ways == expected
    assert {command for outcome in doubtful.apply().outcomes for command in commands(outcome.help)} == expected


def test_what_an_apply_prints_while_the_second_comes_to_be_in_doubt_works_afterwards(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-after"])
    sim.write(hero("a lamp"))
    [outcome] = sim.apply().outcomes
    assert commands(outcome.help) == [f"clipform resolve hero {way}" for way in WAYS]  # the plain case
    sim.server.plan("hero", submit=["unknown-after"])
    sim.write(hero("a torch"))
    told = [commands(outcome.help) for outcome in sim.apply().outcomes]
    assert sorted(told) == [[f"clipform resolve hero --attempt {n} {way}" for way in WAYS_OF[n]] for n in (1, 2)]


def test_the_other_take_of_such_a_clip_is_named_by_its_take(doubtful: Sim) -> None:
    doubtful.server.plan(submit=["*unknown-after"])
    doubtful.write(hero("a torch", ", takes: 2"))
    doubtful.apply()
    planned = doubtful.workspace.plan(Choice(), doubtful.workspace.load()).plan
    assert {command_of(step.way_out[-1]).split(" ", 3)[3] for step in planned.steps} == {
        "--attempt 1 --abandon",
        "--attempt 2 --abandon",
        "--take 2 --abandon",
    }
    assert found(doubtful, 2, None).take == 2
    with pytest.raises(UsageError, match="attempt 3: ") as told:
        found(doubtful, None, None)
    assert told.value.help == "choose one with --attempt N"


def test_a_printed_way_out_is_a_command_that_settles_that_version(doubtful: Sim) -> None:
    planned = doubtful.workspace.plan(Choice(), doubtful.workspace.load()).plan
    for step in planned.steps:
        command = command_of(step.way_out[-1]).split()[1:]
        assert main(["-C", str(doubtful.root), *command, "--yes"]) == 0
    assert doubtful.states() == ["abandoned", "abandoned"]


# --- the receipts of what was settled -----------------------------------------------------------


def lose(sim: Sim) -> None:
    """The database is lost."""
    (sim.root / "state/clipform.db").unlink(missing_ok=True)
    (sim.root / "state/clipform.db-journal").unlink(missing_ok=True)


_MARKERS = count()


def import_it(sim: Sim) -> None:
    with open_session(sim.workspace, "import") as session:
        loaded = sim.workspace.load()
        wish = import_task.TaskImport("task-1", f"import-{next(_MARKERS)}")
        import_task.import_task(session, loaded.orders[0], wish, one_off.ProviderAccess(loaded, sim.connect))


def adopt_it(sim: Sim) -> None:
    attempt = found(sim, None, None)
    with open_session(sim.workspace, "resolve") as session:
        adopt_task.adopt_task(session, attempt, "task-1", one_off.ProviderAccess(sim.workspace.load(), sim.connect))


@pytest.fixture
def elsewhere(sim: Sim) -> Sim:
    """The provider has a task of the clip, and we know nothing of it."""
    sim.apply(detach=True)
    shutil.rmtree(sim.root / "state")
    sim.save()
    return sim


def test_an_imported_task_outlives_the_database_whenever_the_import_dies(elsewhere: Sim) -> None:
    sim = elsewhere
    for k in count(1):
        sim.load()
        wire = sim.dies(k, lambda: import_it(sim))
        with suppress(ClipformError):  # the user says it again, in one of the two ways
            import_it(sim)
        if sim.states() == ["uncertain"]:
            adopt_it(sim)
        assert sim.states() == ["accepted"], wire.names[-1:]
        lose(sim)
        assert sim.apply().exit_code == 0
        assert (sim.states(), len(sim.server.ledger)) == (["done"], 1), wire.names[-1:]
        if not wire.dead:
            break


def test_an_import_that_the_records_refuse_leaves_no_half_of_it(elsewhere: Sim) -> None:
    """One task id belongs to one attempt: what the database refuses is in no receipt."""
    import_it(elsewhere)
    before = (elsewhere.root / "state/receipts").read_bytes()
    elsewhere.write(hero("a torch"))
    with pytest.raises(ClipformError, match="already belongs to another attempt"):
        import_it(elsewhere)
    assert (elsewhere.root / "state/receipts").read_bytes() == before
    assert elsewhere.states() == ["accepted"]


def test_a_task_that_the_user_named_outlives_the_database(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    adopt_it(sim)
    lose(sim)
    assert sim.apply().exit_code == 0
    assert (sim.states(), len(sim.server.ledger)) == (["done"], 1)


def test_to_send_it_again_is_no_failure_and_names_its_price(sim: Sim, capsys: pytest.CaptureFixture[str]) -> None:
    """Before and after the question: what the next apply pays for. The plan says who asked for it."""
    sim.server.plan("hero", submit=["unknown-after"])
    sim.write(hero("a lamp", ", takes: 2"))
    sim.apply()
    assert main(["-C", str(sim.root), "resolve", "hero", "--resubmit", "--yes"]) == 0
    output = capsys.readouterr().out
    assert "The next apply sends it again (estimate: 0.50)." in output
    assert re.search(r"hero#1 can be generated again: clipform .*apply sends it \(estimate: 0.50\)", output)
    planned = sim.workspace.plan(Choice(), sim.workspace.load())
    step = next(step for step in planned.plan.steps if step.take == 1)
    assert (step.headline, status(planned, 0.0)[0].state) == ("you asked to send it again", "new")
