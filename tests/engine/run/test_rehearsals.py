"""A result from an address of this machine belongs to a rehearsal: it never passes for what the real service makes."""

from __future__ import annotations

import json
import shutil

import pytest

from reconciler.diagnostics import ClipformError
from reconciler.engine.operations import import_file as importing
from reconciler.engine.run.session import open_session
from reconciler.project.model import Choice
from tests.reliability.simulator.sim import Here, Sim
from tests.reliability.simulator.vendor import Server
from tests.reliability.simulator.videos import tiny

REAL, LOCAL = "https://api.fake.invalid", "http://127.0.0.1:8790"
CHAIN = "  next: {prompt: it falls, first_frame: '${clips.hero.last_frame}'}\n"
HERO = "renders/hero.mp4"


def spec(address: str = "", clips: str = "  hero: {prompt: a lamp}\n") -> str:
    at = f", base_url: '{address}'" if address else ""
    studio = f'{{kind: fake, prices: [{{model: "*", per_clip: 0.50}}]{at}}}'
    return f"version: 1\nproviders:\n  studio: {studio}\ndefaults: {{provider: studio, duration: 1}}\nclips:\n{clips}"


def rehearsed(sim: Sim, address: str = LOCAL, clips: str = "  hero: {prompt: a lamp}\n") -> Sim:
    """A project whose clips were made at an address of this machine, and that has the real one now."""
    sim.servers = {REAL: sim.server, address: Server(tiny(1), tiny(3), first=101)}
    sim.write(spec(address, clips))
    sim.apply()
    assert sim.server.ledger == {}
    sim.write(spec("", clips))
    return sim


def plan(sim: Sim, *clips: str) -> dict[str, tuple[str, str]]:
    steps = sim.workspace.plan(Choice(clips=clips), sim.workspace.load()).plan.steps
    return {step.name: (step.action.value, step.reason.value) for step in steps}


@pytest.mark.parametrize("address", [LOCAL, "http://127.8.9.1:80", "http://localhost:8790", "http://[::1]:8790"])
def test_a_rehearsed_clip_is_bought_once_at_the_real_address(address: str, sim: Sim) -> None:
    rehearsed(sim, address)
    assert plan(sim) == {"hero": ("create", "rehearsed")}
    sim.apply()
    assert len(sim.server.ledger) == 1
    assert sim.output(HERO) == sim.server.content("task-1")
    assert plan(sim) == {"hero": ("noop", "up_to_date")}
    sim.apply()
    assert len(sim.server.ledger) == 1


def test_what_was_bought_stays_bought_wherever_the_provider_points(sim: Sim) -> None:
    away = "https://away.fake.invalid"
    sim.servers = {address: Server(tiny(1), tiny(3), first=101) for address in (LOCAL, away)} | {REAL: sim.server}
    sim.write(spec())
    sim.apply()
    for address in (LOCAL, away, ""):
        sim.write(spec(address))
        assert plan(sim) == {"hero": ("noop", "up_to_date")}
        sim.apply()
    assert [len(server.ledger) for server in sim.servers.values()] == [0, 0, 1]


def test_a_rehearsal_that_is_bought_stays_bought_at_the_next_rehearsal(sim: Sim) -> None:
    rehearsed(sim).apply()
    sim.write(spec(LOCAL))
    assert plan(sim) == {"hero": ("noop", "up_to_date")}
    shutil.rmtree(sim.root / "state")
    assert plan(sim) == {"hero": ("noop", "up_to_date")}


def test_no_real_clip_is_made_from_a_frame_of_a_rehearsal(sim: Sim) -> None:
    rehearsed(sim, clips="  hero: {prompt: a lamp}\n" + CHAIN)
    assert plan(sim) == {"hero": ("create", "rehearsed"), "next": ("create", "rehearsed")}
    assert plan(sim, "next") == {"next": ("blocked", "upstream")}
    sim.apply()
    assert plan(sim) == {"hero": ("noop", "up_to_date"), "next": ("noop", "up_to_date")}
    assert len(sim.server.ledger) == 2


def test_another_alias_of_the_kind_does_not_take_it_over(sim: Sim) -> None:
    rehearsed(sim)
    sim.write(
        spec(LOCAL)
        .replace("  studio:", "  real: {kind: fake}\n  studio:")
        .replace("provider: studio", "provider: real")
    )
    assert plan(sim) == {"hero": ("create", "rehearsed")}


def test_a_rehearsal_that_was_not_placed_yet_is_placed_before_the_real_one_is_bought(sim: Sim) -> None:
    sim.servers = {REAL: sim.server, LOCAL: Server(tiny(1), tiny(3), first=101)}
    sim.write(spec(LOCAL))
    sim.save()
    for at in range(1, 100):
        sim.load()
        sim.dies(at)
        if sim.states() == ["fetched"]:
            break
    sim.write(spec())
    assert plan(sim)["hero"][0] == "restore"
    sim.apply()
    assert (sim.states(), sim.server.ledger) == (["done"], {})
    assert plan(sim) == {"hero": ("create", "rehearsed")}


def test_a_protected_clip_is_not_replaced(sim: Sim) -> None:
    rehearsed(sim, clips="  hero: {prompt: a lamp, protect: yes}\n")
    assert plan(sim) == {"hero": ("blocked", "protected")}


def test_a_fresh_clone_knows_a_rehearsal_by_its_line(sim: Sim) -> None:
    rehearsed(sim)
    shutil.rmtree(sim.root / "state")
    assert plan(sim) == {"hero": ("create", "rehearsed")}
    sim.apply()
    assert (len(sim.server.ledger), sim.output(HERO)) == (1, sim.server.content("task-1"))
    assert plan(sim) == {"hero": ("noop", "up_to_date")}
    shutil.rmtree(sim.root / "state")
    assert plan(sim) == {"hero": ("noop", "up_to_date")}, "what was bought has no mark in the lock file"


def test_a_rehearsal_in_a_fresh_clone_keeps_its_mark(sim: Sim) -> None:
    rehearsed(sim)
    shutil.rmtree(sim.root / "state")
    sim.write(spec(LOCAL))
    sim.apply()  # adopts the line
    sim.write(spec())
    assert plan(sim) == {"hero": ("create", "rehearsed")}
    lines = json.loads((sim.root / "clipform.lock").read_text())
    assert lines["hero#1"]["rehearsal"] is True


def test_a_kill_at_any_point_of_the_real_purchase_pays_once_and_collects_it(sim: Sim) -> None:
    rehearsed(sim)
    sim.save()
    for at in range(1, 200, 3):
        sim.load()
        wire = sim.dies(at)
        if not wire.dead:
            break
        if any(attempt.state.value == "uncertain" for attempt in sim.attempts()) or not sim.server.ledger:
            continue
        sim.apply()
        if "uncertain" not in sim.states():
            assert len(sim.server.ledger) == 1, at
            assert sim.output(HERO) == sim.server.content("task-1"), at
    else:
        pytest.fail("never ran to its end")


def test_a_video_that_the_user_names_takes_the_place_of_a_rehearsal(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "DraftRenderer", Here)
    rehearsed(sim)
    video = sim.root / "mine.mp4"
    video.write_bytes(tiny(5))
    with open_session(sim.workspace, "import") as session:
        importing.import_file(session, sim.workspace.load().by_ident["hero", 1], video)
    assert plan(sim)["hero"][0] == "restore"
    sim.apply()
    assert (sim.server.ledger, sim.output(HERO)) == ({}, tiny(5))


def test_a_bought_clip_takes_no_other_video(sim: Sim) -> None:
    sim.write(spec())
    sim.apply()
    with open_session(sim.workspace, "import") as session, pytest.raises(ClipformError):
        importing.import_file(session, sim.workspace.load().by_ident["hero", 1], sim.root / HERO)
