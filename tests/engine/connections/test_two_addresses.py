"""Two addresses under one alias that number their tasks alike: each task is collected where it was bought."""

from __future__ import annotations

import pytest

from reconciler.cli.app import main
from reconciler.engine.connections import one_off
from reconciler.engine.operations import adopt_task, resolve
from reconciler.engine.run.session import open_session
from tests.engine.run.test_lost_database import lose
from tests.reliability.simulator.sim import Sim
from tests.reliability.simulator.vendor import Server
from tests.reliability.simulator.videos import tiny

HOME, AWAY = "https://api.fake.invalid", "https://away.fake.invalid"


def spec(address: str, clips: str) -> str:
    provider = f"providers:\n  studio: {{kind: fake, base_url: '{address}'}}\n"
    return f"version: 1\n{provider}defaults: {{provider: studio, duration: 1}}\nclips:\n{clips}"


HERO = "  hero: {prompt: a lamp}\n"
BOTH = HERO + "  intro: {prompt: a candle}\n"


@pytest.fixture
def moved(sim: Sim) -> Sim:
    """The alias points to AWAY since a clip was bought at HOME; both vendors begin with task-1."""
    sim.servers = {HOME: sim.server, AWAY: Server(tiny(1), tiny(3))}
    sim.write(spec(HOME, HERO))
    sim.apply()
    sim.write(spec(AWAY, BOTH))
    return sim


def test_the_same_id_at_another_address_is_another_task(moved: Sim) -> None:
    assert moved.apply().exit_code == 0
    assert [(a.clip, a.task, a.state.value) for a in moved.attempts()] == [
        ("hero", "task-1", "done"),
        ("intro", "task-1", "done"),
    ]
    assert len(moved.servers[AWAY].ledger) == 1


def test_a_request_in_doubt_can_take_an_id_that_another_address_used(moved: Sim) -> None:
    moved.servers[AWAY].plan("intro", submit=["unknown-after"])
    moved.apply()
    moved.servers[AWAY].heal()
    with open_session(moved.workspace, "resolve") as session:
        attempt = resolve.unresolved_attempt(session, "intro", None)
        access = one_off.ProviderAccess(moved.workspace.load(), moved.connect)
        adopt_task.adopt_task(session, attempt, "task-1", access)
    assert moved.apply().exit_code == 0
    assert moved.states() == ["done", "done"]
    assert len(moved.servers[AWAY].ledger) == 1


def test_both_are_collected_after_the_database_is_lost(sim: Sim) -> None:
    sim.servers = {HOME: sim.server, AWAY: Server(tiny(1), tiny(3))}
    for address, clips in ((HOME, HERO), (AWAY, BOTH)):
        sim.servers[address].plan(poll=["*working"])
        sim.write(spec(address, clips))
        sim.apply(detach=True)
    lose(sim)
    for server in sim.servers.values():
        server.heal()
    assert sim.apply().exit_code == 0
    assert sim.states() == ["done", "done"]
    assert [len(server.ledger) for server in sim.servers.values()] == [1, 1]


def test_at_one_address_an_id_still_belongs_to_one_clip(sim: Sim) -> None:
    sim.write(spec(HOME, BOTH))
    sim.server.plan("intro", submit=["twin"])
    sim.server.plan("hero", poll=["*working"])
    sim.apply(detach=True)
    assert sorted(sim.states()) == ["accepted", "uncertain"]
    assert main(["-C", str(sim.root), "status"]) == 0
