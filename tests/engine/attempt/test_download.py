"""From a finished task to its file: room on the disk, the age of links, links that come late."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from reconciler.artifacts.store import ByteSink
from reconciler.diagnostics import ArtifactError, MediaError, StateError
from reconciler.engine import control
from reconciler.events import Summary
from reconciler.providers.base import Pace, Succeeded
from reconciler.state import lockfile
from reconciler.state.store import Store
from tests.reliability.simulator.sim import HEAD, Here, Sim
from tests.reliability.simulator.vendor import Fake, FakeTransport

PAIR = "clips:\n  hero: {prompt: a lamp}\n  intro: {prompt: a candle}\n"
DAY = 24 * 3600.0


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def results(summary: Summary) -> dict[str, str]:
    return {outcome.name: outcome.result.value for outcome in summary.outcomes}


def test_a_disk_without_room_is_told_before_a_byte_comes_and_the_result_is_kept_for_later(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [1 << 40]  # before it is bought
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda path: Usage(1 << 40, 1 << 40, free.pop() if free else 1 << 20))
        summary = sim.apply()
    assert results(summary) == {"hero": "failed"}
    assert "1 MiB are free" in summary.outcomes[0].message
    assert (sim.states(), sim.server.count("fetch")) == (["ready"], 0)
    assert results(sim.apply()) == {"hero": "succeeded"}
    assert len(sim.server.ledger) == 1


def test_a_disk_without_room_is_seen_before_anything_is_bought(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda path: Usage(1 << 40, 1 << 40, 1 << 20))
        summary = sim.apply()
    assert results(summary) == {"hero": "failed"}
    assert (sim.states(), sim.server.ledger) == ([], {})
    assert results(sim.apply()) == {"hero": "succeeded"}


def test_a_link_that_has_aged_while_its_turn_was_waited_for_is_asked_for_anew(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A laptop that sleeps stops the monotonic clock, not the life of links."""
    monkeypatch.setattr(control, "DOWNLOADS", 1)
    monkeypatch.setattr(Fake, "pace", Pace(concurrency=4, link_life=3600.0))

    fetch = FakeTransport.fetch

    async def slow(self: FakeTransport, url: str, part: ByteSink) -> tuple[int, str]:
        await sim.clock.sleep(60)
        return await fetch(self, url, part)

    def sleeps() -> None:
        sim.clock.offset += DAY

    monkeypatch.setattr(FakeTransport, "fetch", slow)
    sim.write(HEAD + PAIR)
    sim.server.at["fetch", "hero"] = sleeps  # while the other one waits
    assert set(results(sim.apply()).values()) == {"succeeded"}
    polls = {label: sim.server.calls.count(("poll", label)) for label in ("hero", "intro")}
    assert polls == {"hero": 2, "intro": 3}
    assert sim.server.count("fetch") == 2, "none in vain"


@pytest.mark.parametrize("times", [1, 2])
def test_a_link_that_comes_a_little_after_the_success_is_waited_for(times: int, sim: Sim) -> None:
    sim.server.plan("hero", poll=["no-link"] * times)
    assert results(sim.apply()) == {"hero": "succeeded"}


def test_what_the_provider_says_it_made_is_in_the_log(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Callable[..., object] = Fake.read_poll

    def with_facts(self: Fake, *given: object) -> object:
        answer = read(self, *given)
        return replace(answer, actual={"ratio": "4:3", "duration": 1}) if isinstance(answer, Succeeded) else answer

    monkeypatch.setattr(Fake, "read_poll", with_facts)
    sim.apply()
    store = Store.read(sim.root / "state", sim.clock.now)
    assert store is not None
    with store:
        told = [line.payload["evidence"] for line in store.events("hero") if line.payload.get("to") == "fetched"]
    assert told == [{"made": {"ratio": "4:3", "duration": 1}}]


def test_a_lock_file_that_cannot_be_written_undoes_nothing_and_is_written_by_the_next_run(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, entries: object) -> None:
        raise StateError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(lockfile, "write", full)
        with pytest.raises(ArtifactError, match=r"on record, and clipform\.lock could not be written") as caught:
            sim.apply()
    assert caught.value.exit_code == 3, "not 1, which says that nothing was done"
    assert sim.states() == ["done"]
    sim.apply()
    assert (sim.root / "clipform.lock").exists()
    assert len(sim.server.ledger) == 1


@pytest.mark.parametrize("code", ["error", "memory", "internal"])
def test_a_worker_that_cannot_examine_a_video_says_nothing_against_it(
    code: str, sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(self: Here, function: object, *args: object) -> object:
        raise MediaError("the media worker died", help="Out of memory?", code=code)

    with monkeypatch.context() as patch:
        patch.setattr(Here, "run", dies)
        for _ in range(4):
            [outcome] = sim.apply().outcomes
            assert (outcome.result.value, outcome.message) == ("failed", "not examined: the media worker died")
            assert "Out of memory?" in outcome.help and "clipform apply" in outcome.help
            assert sim.states() == ["ready"]
    assert not (sim.root / "state/quarantine").exists()
    assert results(sim.apply()) == {"hero": "succeeded"}
    assert len(sim.server.ledger) == 1


def test_a_quarantined_clip_names_the_file_with_its_bytes(sim: Sim) -> None:
    sim.server.plan("hero", fetch=["*junk"])
    [outcome] = sim.apply().outcomes
    assert "; kept as state/quarantine/attempt-1.bin" in outcome.message
    assert (sim.root / "state/quarantine/attempt-1.bin").read_bytes() == sim.server.content("task-1", "junk")
