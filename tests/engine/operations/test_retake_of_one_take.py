"""`retake CLIP#2` makes one take again: every other take keeps its key, and only that one is paid for."""

from __future__ import annotations

import pytest

from reconciler.diagnostics import ClipformError, SpecError, UsageError
from reconciler.engine.operations import edit_spec, undo
from tests.reliability.simulator.sim import HEAD, Sim

THREE = HEAD + "clips:\n  hero: {prompt: a lamp, takes: 3RETAKE}\n"


def keys(sim: Sim, clip: str = "hero") -> list[str]:
    return [order.wanted.key for order in sim.workspace.load().orders if order.clip.name == clip]


@pytest.mark.parametrize("before", ["", ", retake: 1", ", retake: {1: 2}", ", retake: {2: 4, 3: 1}", ", retake: {}"])
@pytest.mark.parametrize("take", [1, 2, 3])
def test_the_other_takes_keep_their_keys(before: str, take: int, sim: Sim) -> None:
    sim.write(THREE.replace("RETAKE", before))
    old = keys(sim)
    edit = edit_spec.retake(sim.workspace, "hero", take)
    new = keys(sim)
    assert [n for n in (1, 2, 3) if old[n - 1] != new[n - 1]] == [take]
    assert (edit.clip, edit.value) == (f"hero#{take}", sim.workspace.load().orders[0].clip.spec.retake_of(take))


def test_only_that_take_is_paid_for(sim: Sim) -> None:
    sim.write(THREE.replace("RETAKE", ""))
    sim.apply()
    edit_spec.retake(sim.workspace, "hero", 2)
    sim.apply()
    assert [task.label for task in sim.server.ledger.values()].count("hero#2") == 2
    assert len(sim.server.ledger) == 4


def test_a_plain_number_is_the_same_as_that_number_for_every_take(sim: Sim) -> None:
    sim.write(THREE.replace("RETAKE", ", retake: 2"))
    plain = keys(sim)
    sim.write(THREE.replace("RETAKE", ", retake: {1: 2, 2: 2, 3: 2}"))
    assert keys(sim) == plain
    sim.write(THREE.replace("RETAKE", ", retake: 0"))
    stated = keys(sim)
    sim.write(THREE.replace("RETAKE", ""))
    assert keys(sim) == stated


def test_a_retake_of_the_clip_makes_every_take_again(sim: Sim) -> None:
    sim.write(THREE.replace("RETAKE", ", retake: {2: 4}"))
    old = keys(sim)
    edit_spec.retake(sim.workspace, "hero")
    assert not set(keys(sim)) & set(old)


def test_undo_of_one_take_leaves_the_others(sim: Sim) -> None:
    sim.write(THREE.replace("RETAKE", ", retake: {1: 1}"))
    sim.apply()
    old = keys(sim)
    edit_spec.retake(sim.workspace, "hero", 2)
    sim.apply()
    undo.undo(sim.workspace, "hero", 2)
    assert keys(sim) == old


def test_a_take_that_is_not_there_and_a_protected_clip_are_refused(sim: Sim) -> None:
    sim.write(THREE.replace("RETAKE", ""))
    with pytest.raises(UsageError, match="has 3 takes, not 4"):
        edit_spec.retake(sim.workspace, "hero", 4)
    sim.write(THREE.replace("RETAKE", ", protect: yes"))
    with pytest.raises(ClipformError, match="is protected"):
        edit_spec.retake(sim.workspace, "hero", 2)


def test_combinations_that_differ_are_not_made_alike(sim: Sim) -> None:
    clip = "clips:\n  s: {prompt: x, takes: 2, matrix: {v: [a, b]}, overrides: [{when: {v: b}, set: {retake: 3}}]}\n"
    sim.write(HEAD + clip)
    with pytest.raises(UsageError, match="differ in takes or retakes"):
        edit_spec.retake(sim.workspace, "s", 2)
    old = keys(sim, "s[v=b]"), keys(sim, "s[v=a]")
    edit_spec.retake(sim.workspace, "s[v=b]", 2)
    assert keys(sim, "s[v=a]") == old[1]
    assert [a == b for a, b in zip(keys(sim, "s[v=b]"), old[0], strict=True)] == [True, False]


def test_a_map_that_names_no_take_of_the_clip_is_an_error(sim: Sim) -> None:
    sim.write(THREE.replace("RETAKE", ", retake: {4: 1}"))
    with pytest.raises(SpecError) as error:
        sim.workspace.load()
    assert [item.message for item in error.value.diagnostics] == ["retake names take 4, but takes is 3"]
