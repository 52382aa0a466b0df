"""`fetch` brings back what was made and is not here, byte for byte, and buys nothing whatever it meets."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import pytest

from reconciler.diagnostics import Refused
from reconciler.engine.operations.fetch import fetch
from reconciler.engine.run.session import open_session
from reconciler.project.model import Choice
from reconciler.providers.base import Dialect, Pace
from reconciler.spec.project import ProviderConfig
from tests.reliability.simulator.sim import HEAD, Sim
from tests.reliability.simulator.vendor import FakeTransport

FILM = (
    HEAD
    + """clips:
  hero: {prompt: a lamp, takes: 2, pick: 2}
  next: {prompt: falls, first_frame: "${clips.hero.last_frame}"}
  solo: {prompt: a candle}
"""
)
OUTPUTS = ("renders/hero.mp4", "renders/next.mp4", "renders/solo.mp4")


@dataclass(frozen=True)
class Made:
    """What there was before the clone was made: the videos by path, the lock file, the number of tasks."""

    sim: Sim
    videos: dict[str, bytes | None]
    lock: bytes
    tasks: int

    def assert_nothing_bought(self) -> None:
        assert len(self.sim.server.ledger) == self.tasks
        assert (self.sim.root / "clipform.lock").read_bytes() == self.lock


@pytest.fixture
def made(sim: Sim) -> Made:
    """Everything was made; git has the YAML and the lock file, and neither videos nor state."""
    sim.write(FILM)
    sim.apply()
    videos = {path: sim.output(path) for path in OUTPUTS}
    for name in ("state", "renders"):
        shutil.rmtree(sim.root / name)
    return Made(sim, videos, (sim.root / "clipform.lock").read_bytes(), len(sim.server.ledger))


@pytest.fixture
def clone(made: Made) -> Sim:
    return made.sim


def fetched(sim: Sim, *clips: str) -> dict[str, tuple[bool, str]]:
    with open_session(sim.workspace, "fetch") as session:
        _, findings = fetch(session, Choice(clips), iter("abcdefgh").__next__, sim.notes, sim.connect)
    return {finding.name: (finding.ok, finding.detail) for finding in findings}


def here(sim: Sim) -> list[str]:
    return [path for path in OUTPUTS if sim.output(path) is not None]


def test_all_videos_come_back_and_the_takes_that_are_not_picked(clone: Sim, made: Made) -> None:
    assert fetched(clone) == {
        "hero#1": (True, "fetched to the store"),
        "hero#2": (True, "fetched to renders/hero.mp4"),
        "next": (True, "fetched to renders/next.mp4"),
        "solo": (True, "fetched to renders/solo.mp4"),
    }
    assert {path: clone.output(path) for path in OUTPUTS} == made.videos
    made.assert_nothing_bought()
    assert fetched(clone) == {}
    assert clone.apply().outcomes == ()


def test_only_the_clips_that_are_named(clone: Sim, made: Made) -> None:
    assert list(fetched(clone, "solo")) == ["solo"]
    assert here(clone) == ["renders/solo.mp4"]
    made.assert_nothing_bought()


def test_what_was_never_made_is_not_made(clone: Sim, made: Made) -> None:
    clone.write(FILM + "  fresh: {prompt: a door}\n" + "  hero-b: {prompt: a lamp, duration: 2}\n")
    assert "fresh" not in fetched(clone)
    made.assert_nothing_bought()


def test_what_the_provider_does_not_have_is_listed_and_the_rest_comes(clone: Sim, made: Made) -> None:
    next(task for task in clone.server.ledger.values() if task.label == "solo").deleted = True
    result = fetched(clone)
    assert (result["solo"][0], "does not know" in result["solo"][1]) == (False, True)
    assert here(clone) == ["renders/hero.mp4", "renders/next.mp4"]
    made.assert_nothing_bought()


def test_another_file_than_the_lock_file_names_is_not_placed(clone: Sim, made: Made) -> None:
    clone.server.plan("solo", fetch=["*wrong"])
    assert fetched(clone, "solo")["solo"][0] is False
    assert here(clone) == []
    made.assert_nothing_bought()
    clone.server.heal()
    assert clone.apply(Choice(("solo",))).exit_code == 0
    assert here(clone) == ["renders/solo.mp4"]


def test_a_file_of_the_users_stays_and_the_video_waits_in_the_store(clone: Sim, made: Made) -> None:
    (clone.root / "renders").mkdir()
    (clone.root / "renders/solo.mp4").write_bytes(b"mine")
    assert fetched(clone, "solo")["solo"][0] is False
    assert clone.output("renders/solo.mp4") == b"mine"
    clone.apply(Choice(("solo",), force=("solo",)))
    assert clone.output("renders/solo.mp4") == made.videos["renders/solo.mp4"]
    made.assert_nothing_bought()


def test_what_the_store_lost_comes_from_the_task_of_the_state(sim: Sim) -> None:
    sim.apply()
    video = sim.output("renders/hero.mp4")
    shutil.rmtree(sim.root / "state/objects")
    shutil.rmtree(sim.root / "renders")
    assert fetched(sim) == {"hero": (True, "fetched to renders/hero.mp4")}
    assert (sim.output("renders/hero.mp4"), len(sim.server.ledger)) == (video, 1)


def test_a_link_that_died_is_renewed(sim: Sim) -> None:
    sim.server.plan("hero", fetch=["*dead"])
    sim.apply()
    assert sim.states() == ["result_expired"]
    sim.server.heal()
    assert fetched(sim) == {"hero": (True, "fetched to renders/hero.mp4")}
    assert (len(sim.server.ledger), sim.states()) == (1, ["done"])


def test_a_provider_that_is_no_longer_declared_is_named(clone: Sim, made: Made) -> None:
    lock = made.lock.replace(b'"provider": "studio"', b'"provider": "former"')
    (clone.root / "clipform.lock").write_bytes(lock)
    ok, detail = fetched(clone, "solo")["solo"]
    assert (ok, detail.endswith(": provider former (kind fake) is not declared")) == (False, True)


def test_a_project_that_is_not_trusted_sends_nothing(clone: Sim, made: Made) -> None:
    def refuse(config: ProviderConfig, dialect: Dialect, pace: Pace) -> FakeTransport:
        raise Refused("not trusted", code="untrusted")

    clone.server.calls.clear()
    with open_session(clone.workspace, "fetch") as session, pytest.raises(Refused):
        fetch(session, Choice(), iter("abcdefgh").__next__, clone.notes, refuse)
    assert clone.server.calls == []


def test_a_kill_at_any_point_loses_and_buys_nothing(clone: Sim, made: Made) -> None:
    clone.save()
    at, step = 1, 5
    while True:
        clone.load()
        wire = clone.dies(at, lambda: fetched(clone, "solo"))
        fetched(clone, "solo")
        assert clone.output("renders/solo.mp4") == made.videos["renders/solo.mp4"]
        made.assert_nothing_bought()
        if not wire.dead:
            return
        at += step
