"""A lock file from elsewhere may name the content of the user's own video. Its bytes stay, whatever runs after that."""

from __future__ import annotations

import hashlib
import json

import pytest

from reconciler.engine.operations import gc
from reconciler.engine.operations.destroy import destroy
from reconciler.engine.run.session import open_session
from reconciler.events import EventKind
from reconciler.project.model import Choice
from tests.reliability.simulator.sim import HEAD, ONE, Sim
from tests.reliability.simulator.videos import tiny

MINE = tiny(7)
LINE = {"suffix": ".mp4", "provider": "studio", "kind": "fake", "model": "film"}


def copies(sim: Sim) -> list[str]:
    """Where the bytes of the user's video are."""
    files = (path for path in sim.root.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(sim.root)) for path in files if path.read_bytes() == MINE)


def notes_of(sim: Sim) -> list[str]:
    return [event.message for event in sim.notes.events if event.kind is EventKind.NOTE]


@pytest.mark.parametrize("name", ["hero#1", "elsewhere#1"])
@pytest.mark.parametrize("more", [{}, {"rehearsal": True}, {"task": "task-1"}], ids=["plain", "rehearsal", "task"])
@pytest.mark.parametrize("is_own_key", [False, True], ids=["another key", "the clip's key"])
def test_the_bytes_stay_through_apply_destroy_and_gc(
    name: str, more: dict[str, object], is_own_key: bool, sim: Sim
) -> None:
    sim.write(ONE)
    key = sim.workspace.load().orders[0].wanted.key if is_own_key else "v1:" + "7" * 64
    line = {"key": key, "sha256": hashlib.sha256(MINE).hexdigest(), **LINE, **more}
    (sim.root / "clipform.lock").write_text(json.dumps({name: line, "version": 1}), encoding="utf-8")
    (sim.root / "renders").mkdir(exist_ok=True)
    (sim.root / "renders/hero.mp4").write_bytes(MINE)

    sim.apply()
    notes = notes_of(sim)
    assert copies(sim)
    sim.write(ONE.replace("a lamp", "a torch"))
    sim.apply()
    assert copies(sim)
    aside = "was moved aside to" if more.get("rehearsal") else "was known from clipform.lock only; its content stays in"
    assert [*notes, *notes_of(sim)] == (
        [] if is_own_key and "rehearsal" not in more else [f"renders/hero.mp4 {aside} {copies(sim)[0]}"]
    )  # a line of the clip's own key made the file its result in the first run

    sim.write(HEAD + "clips: {}\n")
    sim.apply()
    with open_session(sim.workspace, "destroy") as session:
        destroy(session, Choice(), lambda plan: None, sim.notes, sim.connect)
    (sim.root / "clipform.lock").unlink()
    with open_session(sim.workspace, "gc") as session:
        gc.delete_objects(session, gc.unreferenced_objects(session, session.store.snapshot()))
    assert copies(sim)
