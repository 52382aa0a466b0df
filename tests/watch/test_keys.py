"""A key buys the plan that is on the screen. One that was pressed before it was there buys nothing."""

from __future__ import annotations

import os
import select
from typing import Any

import pytest

from reconciler.project.model import Loaded
from reconciler.project.workspace import Workspace
from reconciler.watch import loop
from reconciler.watch.decide import Allowance
from tests.reliability.conftest import fast_path, sim
from tests.reliability.simulator.sim import ALL, ONE, Sim

__all__ = ["fast_path", "sim"]


class Reader:
    """A screen whose reader presses a key as soon as the watch waits for one."""

    def __init__(self, press: Any) -> None:
        self._press = press
        self.plans = 0

    def plan(self, plan: object) -> None:
        self.plans += 1

    def note(self, text: str, event: object) -> None:
        if "Waiting: " in text or "Watching." in text:
            self._press(b"q")

    def __getattr__(self, name: str) -> Any:
        return lambda *shown: None


def test_a_key_that_was_pressed_before_the_plan_was_on_the_screen_buys_nothing(
    sim: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = os.openpty()
    load = Workspace.load

    def press(key: bytes) -> None:
        os.write(ours, key)
        assert select.select([theirs], [], [], 30)[0], "the terminal did not pass the key on"

    def pressed_meanwhile(workspace: Workspace, draft: bool = False) -> Loaded:
        press(b"a")  # in the mode of single keys, while the plan is being made
        return load(workspace, draft)

    monkeypatch.setattr(Workspace, "load", pressed_meanwhile)
    sim.write(ONE)
    screen: Any = Reader(press)
    try:
        context = loop.WatchContext(sim.workspace, ALL, Allowance(), screen, sim.connect, keyboard=theirs)
        assert loop.Watch(context).run() == 0
    finally:
        os.close(ours)
        os.close(theirs)
    assert screen.plans == 1
    assert sim.server.submits("hero") == 0
