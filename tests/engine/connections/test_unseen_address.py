"""What is done without a provider that may not be asked: a recovery, and a request that does not say where it went."""

from __future__ import annotations

import shutil

import pytest

from reconciler.diagnostics import Refused
from reconciler.engine.operations.recover import recover
from reconciler.engine.ports import Transport
from reconciler.engine.run import apply
from reconciler.engine.run.apply import ApplyOptions
from reconciler.engine.run.session import open_session
from reconciler.project.model import Choice, Loaded
from reconciler.providers.base import Dialect, Pace
from reconciler.records import State
from reconciler.spec.project import ProviderConfig
from reconciler.state.budget import NewAttempt
from reconciler.state.ledger import Facts
from tests.engine.connections.test_place_of_purchase import AWAY, HOME, MOVED, STUDIO, spec
from tests.reliability.simulator.sim import Sim
from tests.reliability.simulator.vendor import Server
from tests.reliability.simulator.videos import tiny


@pytest.fixture
def away(sim: Sim) -> Server:
    """Whoever answers at the other address; it knows the tasks of the first one by their ids."""
    sim.servers = {HOME: sim.server, AWAY: Server(tiny(1), tiny(3))}
    return sim.servers[AWAY]


def untrusted(config: ProviderConfig, dialect: Dialect, pace: Pace) -> Transport:
    raise Refused("not trusted")


def old_one(sim: Sim, state: State) -> None:
    """An attempt of a clipform that did not write down where it sent requests."""
    sim.write(spec(STUDIO))
    with open_session(sim.workspace, "apply") as opened:
        order = sim.workspace.load().orders[0].wanted
        new = NewAttempt(
            "m", order.document, key=order.key, clip="hero", take=1, provider="studio", kind="fake", model="film"
        )
        opened.store.move(opened.store.begin(new), state, Facts(task="task-1" if state is State.ACCEPTED else None))
    sim.write(spec(MOVED))


def lost_and_moved(sim: Sim, prompt: str) -> None:
    """Two clips were made; the state and the first one's file are gone, and the alias points elsewhere."""
    pair = spec(STUDIO) + f"  intro: {{prompt: {prompt}}}\n"
    sim.write(pair)
    sim.apply()
    shutil.rmtree(sim.root / "state")
    (sim.root / "renders/hero.mp4").unlink()
    sim.write(pair.replace(STUDIO, MOVED))


def test_a_recovery_that_is_not_trusted_has_done_what_needs_no_provider(away: Server, sim: Sim) -> None:
    """The clip that has no file left comes first, and does not keep the other one from being found."""
    lost_and_moved(sim, "a candle")
    with pytest.raises(Refused):
        recover(sim.workspace, lambda: "r1", sim.notes, untrusted)
    assert set(sim.workspace.snapshot(False).bindings) == {("intro", 1)}


def test_what_another_clip_still_has_is_asked_of_nobody(away: Server, sim: Sim) -> None:
    lost_and_moved(sim, "a lamp")
    sim.transports.clear()
    recover(sim.workspace, lambda: "r1", sim.notes, untrusted)
    assert set(sim.workspace.snapshot(False).bindings) == {("hero", 1), ("intro", 1)}
    assert (sim.states(), sim.transports) == ([], [])


# --- before a plan is shown -----------------------------------------------------------------


def declined(sim: Sim) -> list[str]:
    """An apply whose plan nobody confirms; what it said of the clip that is in doubt."""
    said: list[str] = []

    def confirm(plan: object) -> None:
        said.extend(step.detail for step in plan.steps)  # type: ignore[attr-defined]  # a plan
        raise Refused("no")

    with pytest.raises(Refused), open_session(sim.workspace, "apply") as opened:
        apply.apply(opened, ApplyOptions(Choice()), confirm, sim.notes, sim.connect)
    return said


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider has a list."""
    monkeypatch.setattr(Loaded, "listing", frozenset({"studio"}))


@pytest.mark.usefixtures("listing")
def test_a_request_of_an_older_clipform_is_not_looked_up_at_a_new_address(away: Server, sim: Sim) -> None:
    old_one(sim, State.UNCERTAIN)
    [detail] = declined(sim)
    assert f"it was not asked: HOME_KEY would be sent to {AWAY}" in detail
    assert sim.transports == []
    assert sim.states() == ["uncertain"]


@pytest.mark.usefixtures("listing")
@pytest.mark.parametrize("known", ["its own", "on record"])
def test_it_is_looked_up_where_the_address_is_no_news(known: str, away: Server, sim: Sim) -> None:
    if known == "on record":
        sim.write(spec(MOVED, prompt="a torch"))
        sim.apply()
        sim.transports.clear()
    old_one(sim, State.UNCERTAIN)
    if known == "its own":
        sim.write(spec(STUDIO))
    declined(sim)
    assert [(AWAY if known == "on record" else HOME) in made.account for made in sim.transports] == [True]
