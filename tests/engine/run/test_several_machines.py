"""Several machines, one git: what one of them paid for is in `clipform.lock`; no other one forgets or repeats it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.engine.connections import one_off
from reconciler.engine.operations import gc as gc_command
from reconciler.engine.operations import import_file as import_command
from reconciler.engine.operations import import_task, recover
from reconciler.engine.run.session import open_session
from reconciler.project.model import Choice
from reconciler.state import lockfile
from tests.reliability.simulator.sim import HEAD, ONE, Here, Sim
from tests.reliability.simulator.videos import tiny

TORCH = ONE.replace("a lamp", "a torch")
PAIR = HEAD + "clips:\n  hero: {prompt: a lamp}\n  intro: {prompt: a candle}\n"
OURS = ("state", "renders")  # what git does not carry


@contextmanager
def elsewhere(sim: Sim) -> Iterator[None]:
    """Within the block it is a colleague's clone: no state and no renders. The specs and the lock file come back."""
    for name in OURS:
        if (sim.root / name).exists():
            (sim.root / name).rename(sim.root.with_name(f"kept-{name}"))
    yield
    for name in OURS:
        shutil.rmtree(sim.root / name, ignore_errors=True)
        if sim.root.with_name(f"kept-{name}").exists():
            sim.root.with_name(f"kept-{name}").rename(sim.root / name)


def clone(sim: Sim) -> None:
    for name in OURS:
        shutil.rmtree(sim.root / name)


def line(sim: Sim) -> str:
    entries = lockfile.loads((sim.root / "clipform.lock").read_text(encoding="utf-8"))
    return next(entry.key for entry in entries if entry.clip == "hero")


def bought(sim: Sim) -> int:
    """The most purchases of one key."""
    return max(len(tasks) for tasks in sim.server.by_key().values())


def gc(sim: Sim) -> None:
    with open_session(sim.workspace, "gc") as session:
        gc_command.delete_objects(session, gc_command.unreferenced_objects(session, session.store.snapshot()))


def test_an_apply_that_is_blocked_by_a_colleagues_line_leaves_it_there(sim: Sim) -> None:
    sim.apply()
    with elsewhere(sim):
        sim.write(TORCH)
        sim.apply()
        theirs = line(sim)
    assert [sim.apply().exit_code for _ in range(2)] == [3, 3]
    assert (line(sim), bought(sim)) == (theirs, 1)


def test_the_line_of_a_take_that_is_not_picked_stays_too(sim: Sim) -> None:
    two = ONE.replace("a lamp", "a lamp, takes: 2")
    sim.write(two)
    sim.apply()
    with elsewhere(sim):
        sim.write(two.replace("a lamp", "a torch"))
        sim.apply()
        render = (sim.root / "renders/hero.mp4").read_bytes()  # committed
    (sim.root / "renders/hero.mp4").write_bytes(render)
    for _ in range(3):
        sim.apply()
    assert bought(sim) == 1


def test_an_apply_of_another_clip_leaves_the_line_of_this_branch(sim: Sim) -> None:
    sim.apply()
    branch, here = (sim.root / "clipform.lock").read_bytes(), line(sim)
    sim.write(TORCH)
    sim.apply()
    (sim.root / "clipform.lock").write_bytes(branch)
    sim.write(PAIR)
    sim.apply(Choice(clips=("intro",)))
    assert line(sim) == here
    clone(sim)
    sim.apply()
    assert bought(sim) == 1


def test_a_take_that_is_no_longer_picked_keeps_its_line_in_a_clone(sim: Sim) -> None:
    sim.apply()
    shutil.rmtree(sim.root / "state")
    sim.write(ONE.replace("a lamp", "a lamp, takes: 2, pick: 2"))
    sim.apply()
    gc(sim)
    sim.apply()
    assert bought(sim) == 1


WORDS = {
    "not_sent": {"submit": ["*not-sent"]},
    "refused": {"submit": ["*refuse-busy"]},
    "failed": {"poll": ["fail-billed"]},
    "cancelled": {"poll": ["cancelled"]},
}


@pytest.mark.parametrize("state", WORDS)
def test_an_attempt_of_ones_own_that_came_to_nothing_does_not_outweigh_the_lock_file(state: str, sim: Sim) -> None:
    sim.server.plan("hero", **WORDS[state])
    sim.apply()
    assert set(sim.states()) == {state}
    before = len(sim.server.ledger)
    with elsewhere(sim):
        sim.server.heal()
        sim.apply()
    [step] = sim.workspace.plan(Choice(), sim.workspace.load()).plan.steps
    assert (step.action.value, step.reason.value) == ("blocked", "locked_before")
    recover.recover(sim.workspace, lambda: "r1", sim.notes, sim.connect)
    assert sim.apply().exit_code == 0
    assert len(sim.server.ledger) == before + 1


def test_what_was_adopted_from_a_colleague_is_remembered_when_an_edit_is_taken_back(sim: Sim) -> None:
    sim.apply()
    shutil.rmtree(sim.root / "state")
    sim.apply()
    sim.write(TORCH)
    sim.apply()
    gc(sim)
    sim.write(ONE)
    assert sim.apply().exit_code == 0
    assert bought(sim) == 1


def test_what_is_imported_here_keeps_the_price_that_it_had_elsewhere(sim: Sim) -> None:
    sim.apply()
    before = (sim.root / "clipform.lock").read_bytes()
    clone(sim)
    with open_session(sim.workspace, "import") as session:
        loaded = sim.workspace.load()
        import_task.import_task(
            session,
            loaded.orders[0],
            import_task.TaskImport("task-1", "m"),
            one_off.ProviderAccess(loaded, sim.connect),
        )
    assert sim.apply().exit_code == 0
    assert (sim.root / "clipform.lock").read_bytes() == before
    assert bought(sim) == 1


def import_file(sim: Sim, video: Path, patch: pytest.MonkeyPatch) -> None:
    video.write_bytes(tiny(1))
    patch.setattr(import_command, "DraftRenderer", Here)
    with open_session(sim.workspace, "import") as session:
        import_command.import_file(session, sim.workspace.load().orders[0], video)


def test_what_was_just_imported_is_no_garbage(sim: Sim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import_file(sim, tmp_path / "mine.mp4", monkeypatch)
    gc(sim)
    assert sim.apply().exit_code == 0
    assert not sim.server.ledger


@pytest.mark.parametrize("state", WORDS)
def test_nor_is_it_after_an_attempt_that_came_to_nothing(
    state: str, sim: Sim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.server.plan("hero", **WORDS[state])
    sim.apply()
    sim.server.heal()
    import_file(sim, tmp_path / "mine.mp4", monkeypatch)
    gc(sim)
    before = len(sim.server.ledger)
    sim.apply()
    assert len(sim.server.ledger) == before


@pytest.mark.parametrize("state", WORDS)
def test_gc_forgets_no_adopted_purchase_for_an_attempt_of_ones_own_that_came_to_nothing(state: str, sim: Sim) -> None:
    sim.server.plan("hero", **WORDS[state])
    sim.apply()
    with elsewhere(sim):
        sim.server.heal()
        sim.apply()
        render = (sim.root / "renders/hero.mp4").read_bytes()
    (sim.root / "renders").mkdir(exist_ok=True)
    (sim.root / "renders/hero.mp4").write_bytes(render)
    assert sim.apply().exit_code == 0
    sim.write(TORCH)
    sim.apply()
    gc(sim)
    sim.write(ONE)
    before = len(sim.server.ledger)
    sim.apply()
    assert len(sim.server.ledger) == before
