"""A state that was lost or damaged, made anew: nothing is bought, nothing is forgotten, and again changes nothing."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterable

import pytest

from reconciler.diagnostics import Finding
from reconciler.engine.operations.recover import recover
from reconciler.project.model import Choice
from reconciler.records import Binding
from reconciler.state.store import Store
from tests.engine.uncertain.listing import BOTH, ListingTransport
from tests.engine.uncertain.test_lost_answers import bought, server
from tests.reliability.simulator import checker
from tests.reliability.simulator.sim import Sim

pytestmark = pytest.mark.parametrize("sim", ["seeded"], indirect=True)

_MARKERS = itertools.count()


def recovered(sim: Sim) -> dict[str, Finding]:
    connect = lambda config, dialect, pace: ListingTransport(server(sim), dialect, sim.wire.point)  # noqa: E731  # a port
    found = recover(sim.workspace, lambda: f"recovered-{next(_MARKERS)}", sim.notes, connect)
    return {item.name: item for item in found}


def lose(sim: Sim, names: Iterable[str] = ("clipform.db", "receipts")) -> None:
    for name in names:
        (sim.root / "state" / name).unlink()
        (sim.root / "state" / f"{name}-journal").unlink(missing_ok=True)


def actions(sim: Sim) -> dict[str, str]:
    plan = sim.workspace.plan(Choice(), sim.workspace.load()).plan
    return {step.clip: step.action.value for step in plan.steps}


def bindings(sim: Sim) -> dict[tuple[str, int], Binding]:
    with Store.open(sim.root / "state", sim.clock.now) as store:
        return dict(store.snapshot().bindings)


@pytest.fixture
def made(sim: Sim) -> Sim:
    """Both clips are made."""
    assert sim.apply().exit_code == 0
    sim.server.calls.clear()
    return sim


LOSSES: dict[str, Callable[[Sim], None]] = {
    "all of the database": lose,
    "the database, not the receipts": lambda sim: lose(sim, ("clipform.db",)),
    "nothing": lambda sim: None,
    "the database is damaged": lambda sim: _damage(sim),
}


def _damage(sim: Sim) -> None:
    path = sim.root / "state" / "clipform.db"
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


@pytest.mark.parametrize("loss", LOSSES)
def test_what_the_lock_and_the_store_know_is_all_there_again(loss: str, made: Sim) -> None:
    before = bindings(made)
    LOSSES[loss](made)
    found = recovered(made)
    assert all(item.ok for item in found.values()), found
    assert "purchases" not in found
    assert actions(made) == {"old": "noop", "hero": "noop"}
    assert bindings(made) == before
    picture = checker.picture(made.root)
    recovered(made)
    assert checker.picture(made.root) == picture
    assert made.server.count("submit") == 0
    made.write(BOTH.replace("a lamp", "a torch"))
    assert actions(made)["hero"] == "replace", "its output is ours, so it may be replaced"
    assert made.apply().exit_code == 0


def test_a_damaged_database_is_kept_aside(made: Sim) -> None:
    _damage(made)
    assert "clipform.db.damaged-1" in recovered(made)["state"].detail
    assert (made.root / "state" / "clipform.db.damaged-1").exists()


def test_an_artifact_that_only_its_output_holds_goes_back_into_the_store(made: Sim) -> None:
    lose(made)
    objects = sorted((made.root / "state" / "objects").glob("??/*.mp4"))
    for path in objects:
        path.unlink()
    assert all(item.ok for item in recovered(made).values())
    assert sorted((made.root / "state" / "objects").glob("??/*.mp4")) == objects


def test_an_artifact_that_is_gone_is_collected_from_the_provider(made: Sim) -> None:
    lose(made)
    for path in (*(made.root / "state" / "objects").glob("??/*.mp4"), made.root / "renders" / "hero.mp4"):
        path.unlink()
    assert recovered(made)["hero"].ok
    assert actions(made)["hero"] == "resume"
    assert made.apply().exit_code == 0
    assert bought(made) == 1


def test_what_was_recovered_from_the_lock_is_in_the_receipts(made: Sim) -> None:
    lose(made)
    for path in (*(made.root / "state" / "objects").glob("??/*.mp4"), *(made.root / "renders").iterdir()):
        path.unlink()
    recovered(made)
    lose(made, ("clipform.db",))
    (made.root / "clipform.lock").unlink()
    assert made.apply().exit_code == 0
    assert made.output("renders/hero.mp4")
    assert bought(made) == 1


def test_what_nobody_remembers_is_said_before_it_is_bought_again(made: Sim) -> None:
    shutil.rmtree(made.root / "state")
    (made.root / "clipform.lock").unlink()
    shutil.rmtree(made.root / "renders")
    found = recovered(made)
    assert "buys 2 without a record of a purchase" in found["purchases"].detail
    assert "clipform import CLIP --task ID" in found["purchases"].detail
    assert actions(made) == {"old": "create", "hero": "create"}


def test_a_task_of_the_lock_that_another_attempt_has_stays_there(made: Sim) -> None:
    tasks = [entry.task for entry in made.workspace.lock_entries()]
    lock = made.root / "clipform.lock"
    lock.write_text(lock.read_text().replace(str(tasks[1]), str(tasks[0])))
    lose(made)
    for path in (*(made.root / "state" / "objects").glob("??/*.mp4"), *(made.root / "renders").iterdir()):
        path.unlink()
    recovered(made)
    recovered(made)
    assert made.states() == ["accepted"]


def test_an_artifact_that_nobody_has_any_more_is_a_question(made: Sim) -> None:
    lose(made)
    for path in (*(made.root / "state" / "objects").glob("??/*.mp4"), made.root / "renders" / "hero.mp4"):
        path.unlink()
    ledger, made.server.ledger = made.server.ledger, {}
    hero = recovered(made)["hero"]
    made.server.ledger = ledger
    assert not hero.ok
    assert "retake hero" in hero.help
    assert made.apply().exit_code == 3
    assert bought(made) == 1


@pytest.mark.parametrize(("script", "state"), [("accept", "accepted"), ("unknown-after", "uncertain")])
def test_what_was_under_way_is_known_from_the_receipts_and_the_list(script: str, state: str, sim: Sim) -> None:
    server(sim).lag = 600.0
    sim.server.plan("hero", submit=[script], poll=["*working"])
    sim.apply(detach=True)
    assert sim.states("hero") == [state]
    lose(sim, ("clipform.db",))
    sim.clock.time += 1000.0
    found = recovered(sim)
    assert found["hero"].ok, found
    assert sim.states("hero") == ["accepted"]
    sim.server.heal()
    assert sim.apply().exit_code == 0
    assert bought(sim) == 1


def test_what_the_list_cannot_tell_is_left_to_ask(sim: Sim) -> None:
    server(sim).hidden = lambda task: True
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    lose(sim, ("clipform.db",))
    hero = recovered(sim)["hero"]
    assert not hero.ok
    assert "resolve hero --task ID" in hero.help
    assert bought(sim) == 1
