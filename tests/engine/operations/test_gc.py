"""What nothing holds is deleted, with the pictures that were drawn of it; all else stays."""

from __future__ import annotations

from reconciler.engine.operations import gc
from reconciler.engine.run.session import open_session
from tests.reliability.simulator.sim import HEAD, Sim


def test_a_version_that_is_deleted_leaves_no_picture_behind(sim: Sim) -> None:
    sim.write(HEAD + "clips:\n  hero: {prompt: a lamp}\n")
    sim.apply()
    sim.write(HEAD + "clips:\n  hero: {prompt: a torch}\n")
    sim.apply()
    with open_session(sim.workspace, "gc") as session:
        videos = {item.sha256 for item in session.objects}
        drawn = [
            sim.root / "state/cache" / name.format(sha)
            for sha in videos
            for name in ("posters/{}.jpg", "previews/{}.mp4")
        ]
        for path in drawn:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        [item] = gc.unreferenced_objects(session, session.store.snapshot())
        gc.delete_objects(session, [item])
        assert {stored.sha256 for stored in session.objects} == videos - {item.sha256}
    assert {path for path in drawn if path.exists()} == {path for path in drawn if item.sha256 not in path.name}
