"""A run that is killed: `clipform.lock` names what it made, so that even a lost state folder forgets no purchase."""

from __future__ import annotations

import shutil

import pytest

from reconciler.state import lockfile
from tests.reliability.simulator.sim import HEAD, Sim

ONE_BY_ONE = HEAD.replace("kind: fake,", "kind: fake, concurrency: 1,")
THREE = "clips:\n  a: {prompt: a lamp}\n  b: {prompt: a candle}\n  c: {prompt: a torch}\n"


def locked(sim: Sim) -> set[str]:
    return {entry.clip for entry in sim.workspace.lock_entries()}


def test_what_was_made_before_a_kill_is_in_the_lock_file(sim: Sim) -> None:
    sim.write(ONE_BY_ONE + THREE)
    seen: list[set[str]] = []
    for clip in "abc":
        sim.server.at["submit", clip] = lambda: seen.append(locked(sim))
    sim.apply()
    assert seen == [set(), {"a"}, {"a", "b"}]


def test_after_a_kill_and_a_lost_state_nothing_that_was_made_is_bought_again(sim: Sim) -> None:
    sim.write(ONE_BY_ONE + THREE)
    killed = sim.root.with_name("killed")
    sim.server.at["submit", "c"] = lambda: shutil.copytree(sim.root, killed)
    sim.apply()
    shutil.rmtree(sim.root)
    killed.rename(sim.root)
    shutil.rmtree(sim.root / "state")
    shutil.rmtree(sim.root / "renders")
    sim.server.heal()
    sim.apply()
    keys = {entry.key for entry in sim.workspace.lock_entries() if entry.clip in "ab"}
    assert [len(sim.server.by_key()[key]) for key in keys] == [1, 1]


@pytest.mark.parametrize("takes", ["", ", takes: 2, pick: 2"])
def test_the_end_of_a_run_adds_nothing_to_what_was_written_meanwhile(
    takes: str, sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.write(ONE_BY_ONE + THREE.replace("a torch", "a torch" + takes))
    texts: list[str] = []
    real = lockfile.write

    def write(path: object, entries: object) -> bool:
        texts.append(lockfile.dumps(entries))  # type: ignore[arg-type]  # as it is called
        return real(path, texts and lockfile.loads(texts[-1]))  # type: ignore[arg-type]  # as it is called

    monkeypatch.setattr(lockfile, "write", write)
    sim.apply()
    assert len(texts) == 4 + (1 if takes else 0)
    assert texts[-1] == texts[-2]
