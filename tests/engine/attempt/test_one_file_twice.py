"""A vendor that serves one file for two different requests is reported: both were paid for, and one was not made."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from reconciler.events import EventKind
from reconciler.state.store import Store
from tests.reliability.simulator.sim import HEAD, Sim

TWO = "clips:\n  hero: {prompt: a lamp, seed: 5}\n  intro: {prompt: a candle, seed: 5}\n"
TAKES = "clips:\n  hero: {prompt: a lamp, takes: 2, pick: 2}\n"


@pytest.fixture
def mixed(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> Sim:
    """A vendor whose storage has one file behind every link."""
    whole = sim.server.content("task-1")
    monkeypatch.setattr(sim.server, "content", lambda task, word="whole": whole)
    return sim


def notes(sim: Sim) -> list[str]:
    return [event.message for event in sim.notes.events if event.kind is EventKind.NOTE]


def on_record(sim: Sim) -> Mapping[str, str]:
    """What the records say for good about each clip's result."""
    store = Store.read(sim.root / "state", sim.clock.now)
    assert store is not None
    with store:
        snapshot = store.snapshot()
    return {clip: snapshot.generations[bound.key].mismatch for (clip, _), bound in snapshot.bindings.items()}


def test_one_file_for_two_clips_names_both_and_fails_none(mixed: Sim) -> None:
    mixed.write(HEAD + TWO)
    summary = mixed.apply()
    assert (summary.exit_code, len(mixed.server.ledger)) == (0, 2)
    [note] = notes(mixed)
    for part in ("hero", "intro", "task-1", "task-2", "studio", "clipform show hero", "clipform show intro"):
        assert part in note
    second = "intro" if on_record(mixed)["intro"] else "hero"
    assert "the very file" in on_record(mixed)[second]


def test_one_file_is_noticed_in_a_later_run(mixed: Sim) -> None:
    mixed.write(HEAD + TWO.replace("  intro: {prompt: a candle, seed: 5}\n", ""))
    mixed.apply()
    assert notes(mixed) == []
    mixed.write(HEAD + TWO)
    mixed.apply()
    assert "task-1" in notes(mixed)[0] and "task-2" in notes(mixed)[0]
    assert notes(mixed)[0].startswith("intro: ")


def test_takes_of_one_seed_may_be_one_file(mixed: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    """The requests are equal but for their numbers: one picture is what they ask for."""
    monkeypatch.setattr("reconciler.engine.attempt.submit._seed", lambda *_: None)
    mixed.write(HEAD + TAKES)
    assert mixed.apply().exit_code == 0
    assert notes(mixed) == []


def test_takes_that_were_sent_seeds_of_their_own_are_not(mixed: Sim) -> None:
    mixed.write(HEAD + TAKES)
    mixed.apply()
    assert "hero#2" in notes(mixed)[0] and "hero" in notes(mixed)[0]


def test_files_that_differ_are_not_mentioned(sim: Sim) -> None:
    sim.write(HEAD + TWO)
    sim.apply()
    assert notes(sim) == []
    assert set(on_record(sim).values()) == {""}


def test_another_provider_s_file_is_its_own(mixed: Sim) -> None:
    mixed.write(HEAD + TWO.replace("a candle, seed: 5", "a candle, seed: 5, provider: other"))
    mixed.apply()
    assert notes(mixed) == []
