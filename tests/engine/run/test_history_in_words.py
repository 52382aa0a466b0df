"""`history` says in words what happened to a clip; the log as it is stored stays whole."""

from __future__ import annotations

from reconciler.engine.operations import gc, resolve
from reconciler.engine.run.session import open_session
from reconciler.views.history import history, raw
from tests.reliability.simulator.sim import HEAD, Sim


def write(sim: Sim, clip: str) -> None:
    sim.write(HEAD + f"clips:\n  hero: {{{clip}}}\n")
    sim.apply()


def history_lines(sim: Sim, limit: int | None = None) -> list[str]:
    return [f"{row.clip}: {row.detail}" for row in history(sim.workspace.events(False), limit)]


def made_lines(sim: Sim) -> list[str]:
    return [line for line in history_lines(sim) if " was accepted by " not in line]


def test_each_version_says_what_is_new_in_it(sim: Sim) -> None:
    write(sim, "prompt: a lamp on a table")
    write(sim, "prompt: a lamp on a marble table")
    write(sim, "prompt: a lamp on a marble table, duration: 2")
    length = made_lines(sim)[0].removeprefix("hero: made take 1, ").removesuffix(", 0.50")
    assert made_lines(sim) == [
        f"hero: made take 1, {length}, 0.50",
        f"hero: made take 1 (prompt: marble), {length}, 0.50",
        f"hero: made take 1 (duration 2), {length}, 0.50",
    ]
    assert history_lines(sim, 1) == history_lines(sim)[-1:]


def test_a_task_that_was_accepted_is_named_with_its_provider(sim: Sim) -> None:
    sim.write(HEAD + "clips:\n  hero: {prompt: a lamp}\n")
    sim.apply(detach=True)
    [attempt] = sim.attempts()
    assert history_lines(sim) == [f"hero: take 1 was accepted by {attempt.provider} as task {attempt.task}"]


def test_going_back_moving_and_removing_are_told(sim: Sim) -> None:
    write(sim, "prompt: a lamp")
    write(sim, "prompt: a torch")
    write(sim, "prompt: a lamp")
    write(sim, "prompt: a lamp, output: out/hero.mp4")
    sim.write(HEAD + "clips: {}\n")
    sim.apply()
    with open_session(sim.workspace, "gc") as session:
        gc.delete_objects(session, gc.unreferenced_objects(session, session.store.snapshot()))
    lines = made_lines(sim)
    assert lines[2:4] == ["hero: take 1 went back to an earlier version", "hero: removed renders/hero.mp4"]
    assert lines[4:7] == [
        "hero: take 1 was placed at out/hero.mp4",
        "hero: removed out/hero.mp4",
        "hero: take 1 is no longer declared",
    ]
    assert all(line.startswith(": deleted the stored file ") for line in lines[7:])


def test_a_failure_and_a_decision_are_told_with_the_providers_words(sim: Sim) -> None:
    sim.server.plan("hero", poll=["fail-free"])
    write(sim, "prompt: a lamp")
    sim.server.plan("hero", submit=["unknown-before"])
    write(sim, "prompt: a torch")
    with open_session(sim.workspace, "resolve") as session:
        resolve.abandon(session, resolve.unresolved_attempt(session, "hero", None))
    lines = made_lines(sim)
    assert lines[0] == "hero: take 1 failed: the output was refused"
    assert lines[1].startswith("hero: take 1 may have been accepted or not: ")
    assert lines[2] == "hero: you ran resolve --abandon"


def test_the_log_as_it_is_stored_has_every_event(sim: Sim) -> None:
    write(sim, "prompt: a lamp")
    events = sim.workspace.events(False)
    assert [row.sequence for row in raw(events)] == [entry.seq for entry in events]
