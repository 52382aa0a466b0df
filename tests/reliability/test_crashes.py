"""The process may die at any effect: at point 1, 2, 3, … until a run comes through, as SQLite tests itself."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from PIL import Image

from reconciler.engine import planfile, settle
from reconciler.engine.session import open_session, save_plan
from reconciler.engine.workspace import Choice
from tests.reliability.sim import HEAD, ONE, Sim

GOLDEN = Path(__file__).parent / "points"

PAIR = HEAD + "clips:\n  hero: {prompt: a lamp}\n  intro: {prompt: a candle}\n"
CHAIN = HEAD + "clips:\n  hero: {prompt: a lamp}\n  next: {prompt: it falls, first_frame: '${clips.hero.last_frame}'}\n"
TAKES = HEAD + "clips:\n  hero: {prompt: a lamp, takes: 2, pick: 2}\n"
TWINS = HEAD + "clips:\n  hero: {prompt: a lamp}\n  copy: {prompt: a lamp}\n"
THREE = HEAD + "clips:\n  a: {prompt: one}\n  b: {prompt: two}\n  c: {prompt: three}\n"
MOVED = HEAD + "clips:\n  a: {prompt: one, output: films/a.mp4}\n  b: {prompt: two}\n"


@dataclass(frozen=True)
class Story:
    """What is done before, and which outputs there are at the end."""

    before: Callable[[Sim], None]
    outputs: tuple[str, ...]
    run: Callable[[Sim], Callable[[], object]] = lambda sim: sim.apply


def _spec(text: str) -> Callable[[Sim], None]:
    return lambda sim: sim.write(text)


def _replace(sim: Sim) -> None:
    sim.apply()
    sim.write(ONE.replace("a lamp", "a torch"))


def _mixed(sim: Sim) -> None:
    sim.write(THREE)
    sim.apply()
    (sim.root / "renders/b.mp4").unlink()
    sim.write(MOVED)


def _unwanted(sim: Sim) -> None:
    sim.apply(detach=True)
    sim.write(ONE.replace("a lamp", "a torch"))


def _state_lost(sim: Sim) -> None:
    sim.apply()
    for name in ("clipform.db", "clipform.db-journal", "receipts"):
        (sim.root / "state" / name).unlink(missing_ok=True)
    (sim.root / "renders/hero.mp4").unlink()


def _local_input(sim: Sim) -> None:
    Image.new("RGB", (64, 64)).save(sim.root / "a.png")
    os.utime(sim.root / "a.png", (1_700_000_000, 1_700_000_000))  # old enough for its hash to be remembered
    sim.write(HEAD + "clips:\n  hero: {prompt: a lamp, first_frame: a.png}\n")


def _planned(sim: Sim) -> None:
    save_plan(sim.workspace, Choice(), sim.root / "saved.plan")


def _as_planned(sim: Sim) -> Callable[[], object]:
    saved = planfile.read(sim.root / "saved.plan")
    return lambda: sim.apply(saved=saved)


def _in_doubt(sim: Sim) -> None:
    sim.server.plan("hero", submit=["unknown-after"])
    sim.apply()
    sim.server.heal()


def _paid_again(sim: Sim) -> Callable[[], object]:
    def run() -> None:
        with open_session(sim.workspace, "resolve") as opened:
            settle.allow_again(opened, settle.in_doubt(opened, "hero", None))
        sim.apply()

    return run


def _recognised(sim: Sim) -> Callable[[], object]:
    def run() -> None:
        with open_session(sim.workspace, "resolve") as opened:
            remote = settle.Remote(sim.workspace.load(), sim.connect)
            settle.adopt_task(opened, settle.in_doubt(opened, "hero", None), "task-1", remote)
        sim.apply()

    return run


STORIES = {
    "one": Story(lambda sim: None, ("renders/hero.mp4",)),
    "chain": Story(_spec(CHAIN), ("renders/hero.mp4", "renders/next.mp4")),
    "replace": Story(_replace, ("renders/hero.mp4",)),
    "mixed": Story(_mixed, ("films/a.mp4", "renders/b.mp4")),
    "takes": Story(_spec(TAKES), ("renders/hero.mp4",)),
    "pair": Story(_spec(PAIR), ("renders/hero.mp4", "renders/intro.mp4")),
    "twins": Story(_spec(TWINS), ("renders/hero.mp4", "renders/copy.mp4")),
    "unwanted": Story(_unwanted, ("renders/hero.mp4",)),
    "state-lost": Story(_state_lost, ("renders/hero.mp4",)),
    "local-input": Story(_local_input, ("renders/hero.mp4",)),
    "paid-again": Story(_in_doubt, ("renders/hero.mp4",), _paid_again),
    "recognised": Story(_in_doubt, ("renders/hero.mp4",), _recognised),
    "saved-plan": Story(_planned, ("renders/hero.mp4",), _as_planned),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_kill_at_any_point_pays_once_loses_nothing_and_heals(
    name: str, sim: Sim, request: pytest.FixtureRequest
) -> None:
    story = STORIES[name]
    story.before(sim)
    sim.save()
    for k in count(1):
        sim.load()
        wire = sim.dies(k, story.run(sim))
        if not wire.dead:
            break
        try:
            _check(sim, story, explain=k % 5 == 0)
        except BaseException as error:
            error.add_note(f"after a kill at point {k}, {wire.names[-1]}")
            raise
    _compare_with_golden(name, wire.names, update=request.config.getoption("--update"))
    sim.rest()
    assert all(sim.output(path) for path in story.outputs)
    assert set(sim.states()) <= {"done", "abandoned"}


def test_a_kill_during_the_recovery_from_a_kill_does_no_harm_either(sim: Sim) -> None:
    sim.save()
    for k in range(8, 54, 7):
        for again in range(1 + k % 6, 60, 6):
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


def _check(sim: Sim, story: Story, *, explain: bool) -> None:
    """Right after a kill, and once later runs have come to rest."""
    world = sim.safe()
    receipts = {line["marker"] for line in world.receipts if line["event"] == "accepted"}
    asking = [a for a in sim.attempts() if a.state.value == "submitting" and a.marker not in receipts]
    waiting = [a for a in sim.attempts() if a.state.value == "uncertain"]
    bought = {a.key: len(sim.server.by_key()[a.key]) for a in (*asking, *waiting)}
    sim.rest(explain=explain)
    for attempt in (*asking, *waiting):
        assert _state(sim, attempt.id) == "uncertain", "a request in doubt asks a person"
        assert len(sim.server.by_key()[attempt.key]) == bought[attempt.key], "and is not sent again"
    if not (asking or waiting):
        assert all(sim.output(path) for path in story.outputs)
        assert set(sim.states()) <= {"done", "abandoned"}


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
