"""A run that waits says for what: each clip that waits for another names it, and that one says what goes on with it."""

from __future__ import annotations

import pytest

from reconciler.events import Event
from reconciler.views.terminal.tracker import RunTracker
from tests.reliability.simulator.sim import HEAD, Notes, Sim
from tests.reliability.simulator.stories import CHAIN
from tests.reliability.simulator.vendor import Fake, FakeTransport

FRAMED = "".join(
    f"  {name}: {{prompt: {name}, first_frame: '${{clips.hero.last_frame}}'}}\n" for name in ("fall", "rise")
)


def screens(sim: Sim) -> list[list[str]]:
    """Apply, and return the clips of the live display after each event, as people read them."""
    tracker, emit = RunTracker(sim.clock.monotonic), Notes.emit
    screens: list[list[str]] = []

    def watched(notes: Notes, event: Event) -> None:
        emit(notes, event)
        tracker.emit(event)
        screen = [f"{name}: {text}" for name, text in tracker.lines(12)]
        if screen not in screens[-1:]:
            screens.append(screen)

    with sim.patch.context() as patch:
        patch.setattr(Notes, "emit", watched)
        sim.apply()
    return screens


def test_a_clip_that_waits_for_another_names_it_and_that_one_says_what_goes_on_with_it(sim: Sim) -> None:
    sim.write(CHAIN)
    sim.apply(detach=True)
    sim.server.plan("hero", poll=["not-found", "no-link", "working"])
    assert screens(sim)[:8] == [
        [],
        ["next: waits for hero"],
        ["hero: asking studio for its task  0 s", "next: waits for hero"],
        ["hero: waiting: studio does not know its task, next try in 5 s (2nd)", "next: waits for hero"],
        [
            "hero: waiting: its task is finished, and studio gives no video yet, next try in 6 s (2nd)",
            "next: waits for hero",
        ],
        ["hero: running   10% 11 s", "next: waits for hero"],
        ["hero: placing  19 s", "next: waits for hero"],
        ["next: waits for hero"],
    ]


def test_a_paused_provider_is_the_reason_of_every_clip_that_waits_for_it(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeTransport, "paused", 30.0)
    lines = [line for screen in screens(sim) for line in screen]
    assert not [line for line in lines if line.startswith("hero: sending")]
    assert "hero: waiting: studio is busy, next try in 30 s" in lines


def test_a_clip_whose_frames_are_held_back_names_the_clip_that_has_to_show_them_first(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fake, "shows_frames", True, raising=False)
    sim.write(HEAD + "clips:\n  hero: {prompt: a lamp}\n" + FRAMED)
    history = screens(sim)
    assert ["fall: sending to studio  0 s", "rise: waits until fall shows its frames  0 s"] in history
