"""What nothing holds is deleted, with the pictures that were drawn of it; all else stays."""

from __future__ import annotations

from reconciler.engine.operations import gc
from reconciler.engine.run.session import open_session
from reconciler.views import garbage as view
from tests.reliability.simulator.sim import HEAD, Sim

DAY = 86_400.0


def write(sim: Sim, prompt: str) -> None:
    sim.write(HEAD + f"clips:\n  hero: {{prompt: {prompt}, takes: 2}}\n")
    sim.apply()


def named(sim: Sim, keep: int = 0, age: float | None = None) -> list[tuple[str, int, int]]:
    """Clip, take and version of what would be deleted."""
    with open_session(sim.workspace, "gc") as session:
        before = None if age is None else session.clock.now() - age
        versions = [each.version for each in gc.garbage(session, keep, before)]
    return [(each.clip, each.take, each.number) for each in versions if each is not None]


def test_it_names_clip_take_and_version_and_keeps_as_many_as_it_should(sim: Sim) -> None:
    for prompt in ("one", "two", "three"):
        write(sim, prompt)
    assert named(sim) == [("hero", 1, 1), ("hero", 1, 2), ("hero", 2, 1), ("hero", 2, 2)]
    assert named(sim, keep=1) == [("hero", 1, 1), ("hero", 2, 1)]
    assert named(sim, keep=2) == []


def test_what_is_younger_stays(sim: Sim) -> None:
    write(sim, "one")
    sim.clock.time += 10 * DAY
    write(sim, "two")
    sim.clock.time += DAY
    write(sim, "three")
    assert named(sim, age=5 * DAY) == [("hero", 1, 1), ("hero", 2, 1)]
    assert named(sim, age=30 * DAY) == []


def test_a_version_that_a_clip_uses_again_is_not_named(sim: Sim) -> None:
    for prompt in ("one", "two", "one"):
        write(sim, prompt)
    assert named(sim) == [("hero", 1, 2), ("hero", 2, 2)]


def test_the_list_says_price_date_size_and_the_sum(sim: Sim) -> None:
    write(sim, "one")
    write(sim, "two")
    with open_session(sim.workspace, "gc") as session:
        items = [(each.item, each.version) for each in gc.garbage(session)]
    *lines, total = view.lines(items)
    assert [line.partition(", made ")[0] for line in lines] == [
        "- hero take 1 version 1: 0.50",
        "- hero take 2 version 1: 0.50",
    ]
    assert total == f"In all {view.total_size(items)}. They cost 1.00, and would be paid for again."


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
