"""The process may die at any effect: at point 1, 2, 3, … until a run comes through, as SQLite tests itself.

Here a sample of the points, each story from another beginning: the stories share the points of the protocol.
`python -m tests.reliability --long` kills each story at every point.
"""

from __future__ import annotations

from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from reconciler.plan.approvals import Approvals
from reconciler.plan.vendor_drafts import TASK
from tests.reliability.simulator.sim import Sim
from tests.reliability.simulator.stories import STORIES, Story

GOLDEN = Path(__file__).parent / "points"
STRIDE, SIMPLEST = 17, 5
"""The points between two kills of a story, and of `one`, which has none that the others lack."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", STORIES)
def test_a_kill_at_any_point_pays_once_loses_nothing_and_heals(
    name: str, sim: Sim, request: pytest.FixtureRequest
) -> None:
    story = STORIES[name]
    story.before(sim)
    sim.save()
    points = count(1, SIMPLEST) if name == "one" else count(1 + [*STORIES].index(name) % STRIDE, STRIDE)
    for number, k in enumerate(points):
        sim.load()
        wire = sim.dies(k, story.run(sim))
        if not wire.dead:
            break
        try:
            _check(sim, story, explain=number % 5 == 0)
        except BaseException as error:
            error.add_note(f"after a kill at point {k}, {wire.names[-1]}")
            raise
    _compare_with_golden(name, wire.names, update=request.config.getoption("--update"))
    story.after(sim)
    sim.rest()
    assert all(sim.output(path) for path in story.outputs)
    assert set(sim.states()) <= story.ends


def test_a_kill_during_the_recovery_from_a_kill_does_no_harm_either(sim: Sim) -> None:
    sim.save()
    for k in range(8, 54, 13):
        for again in range(1 + k % 11, 60, 11):
            sim.load()
            first, second = sim.dies(k), sim.dies(again)
            try:
                sim.safe()
                sim.rest(explain=False)
            except BaseException as error:
                error.add_note(f"after kills at {k}, {first.names[-1]}, and {again}, {second.names[-1]}")
                raise
            if not second.dead:
                break


def test_the_story_of_a_vendors_draft_notices_a_final_that_nobody_approved(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planted mistake: only the draft asks."""
    real = Approvals.refuses
    monkeypatch.setattr(Approvals, "refuses", lambda self, w, *more: TASK not in w.document and real(self, w, *more))
    story = STORIES["drafted"]
    story.before(sim)
    sim.apply()
    with pytest.raises(AssertionError, match="a final was sent"):
        story.after(sim)


def _check(sim: Sim, story: Story, *, explain: bool) -> None:
    """Right after a kill, and once later runs have come to rest."""
    world = sim.safe()
    settled = ("accepted", "resubmit", "abandon")  # the last two are decisions that a person took before the kill
    receipts = {line["marker"] for line in world.receipts if line["event"] in settled}
    attempts = [] if world.damaged else sim.attempts()
    asking = [a for a in attempts if a.state.value == "submitting" and a.marker not in receipts]
    waiting = [a for a in attempts if a.state.value == "uncertain" and a.marker not in receipts]
    bought = {a.key: len(sim.server.by_key()[a.key]) for a in (*asking, *waiting)}
    story.after(sim)
    sim.rest(explain=explain)
    for attempt in (*asking, *waiting):
        assert _state(sim, attempt.id) == "uncertain", "a request in doubt asks a person"
        assert len(sim.server.by_key()[attempt.key]) == bought[attempt.key], "and is not sent again"
    if not (asking or waiting):
        assert all(sim.output(path) for path in story.outputs)
        assert set(sim.states()) <= story.ends


def _state(sim: Sim, number: int) -> str:
    return next(a.state.value for a in sim.attempts() if a.id == number)


def _compare_with_golden(name: str, points: list[str], *, update: bool) -> None:
    """A new effect shows up in review."""
    text = "".join(f"{number:3} {point}\n" for point, number in sorted(Counter(points).items()))
    golden = GOLDEN / f"{name}.txt"
    if update:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
