"""The versions of a take, from a real state: what was made for it, what it held, and what it holds now."""

from __future__ import annotations

import pytest

from reconciler.engine.operations import gc
from reconciler.engine.run.session import open_session
from reconciler.project.versions import Version, before, versions
from reconciler.state.history import LogEntry
from tests.reliability.simulator.sim import HEAD, ONE, Sim


def listed(sim: Sim) -> dict[tuple[str, int], tuple[Version, ...]]:
    workspace = sim.workspace
    return versions(workspace.events(False), workspace.snapshot(False))


def prompts(sim: Sim, clip: str = "hero", take: int = 1) -> list[tuple[int, str, bool, bool]]:
    """Number, prompt, whether its video is there, whether it is the current one."""
    return [
        (v.number, v.document.partition('"prompt":"')[2].partition('"')[0], v.result is not None, v.is_current)
        for v in listed(sim)[clip, take]
    ]


@pytest.fixture
def edited(sim: Sim) -> Sim:
    for prompt in ("a lamp", "a torch"):
        sim.write(ONE.replace("a lamp", prompt))
        sim.apply()
    return sim


def test_each_result_is_a_version_and_one_is_current(edited: Sim) -> None:
    assert prompts(edited) == [(1, "a lamp", True, False), (2, "a torch", True, True)]
    assert [v.result.cost_micros for v in listed(edited)["hero", 1] if v.result] == [500_000, 500_000]


def test_a_return_to_an_older_version_adds_none(edited: Sim) -> None:
    edited.write(ONE)
    edited.apply()
    assert prompts(edited) == [(1, "a lamp", True, True), (2, "a torch", True, False)]


def test_a_version_that_gc_deleted_is_listed_without_its_result(edited: Sim) -> None:
    with open_session(edited.workspace, "gc") as session:
        gc.delete_objects(session, gc.unreferenced_objects(session, session.store.snapshot()))
    assert prompts(edited) == [(1, "a lamp", False, False), (2, "a torch", True, True)]


def test_a_request_without_a_result_is_no_version(edited: Sim) -> None:
    edited.server.plan("intro", poll=["fail-free"])
    edited.write(HEAD + "clips:\n  hero: {prompt: a torch, takes: 2}\n  intro: {prompt: a door}\n")
    edited.apply()
    assert edited.states("intro") == ["failed"]
    assert prompts(edited, take=2) == [(1, "a torch", True, True)]
    assert listed(edited).keys() == {("hero", 1), ("hero", 2)}


def test_a_state_without_events_has_none(sim: Sim) -> None:
    sim.write(ONE)
    assert listed(sim) == {}


@pytest.mark.parametrize(
    ("held", "current", "expected"),
    [
        ("", "a", None),
        ("a", "a", None),
        ("ab", "b", "a"),
        ("ab", "c", "b"),  # declared, never generated: back to what is in place
        ("abc", "b", "a"),  # undone once without an apply
        ("abcb", "b", "a"),  # undone once, and applied
        ("abcbd", "d", "b"),  # c was left behind
        ("abcbc", "c", "b"),  # chosen again
        ("aba", "b", "a"),
    ],
)
def test_undo_goes_back_as_in_an_editor(held: str, current: str, expected: str | None) -> None:
    def bound(key: str, clip: str = "hero", take: int = 1) -> LogEntry:
        return LogEntry(0, 0.0, "bound", clip, None, {"clip": clip, "take": take, "key": key})

    entries = [bound("x", "sea"), bound("y", take=2), *map(bound, held)]
    assert before(entries, ("hero", 1), current) == expected
