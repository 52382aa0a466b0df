"""Planted bugs that only one sort of step of the random commands can find: a clock, a pause, a second checkout.

Each has a session of steps in which the judge must report its promise. Without the step it must stay hidden, and
without the bug the same session must be silent: so it is the step that finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass

import pytest

from tests.reliability.commands.play import Commands
from tests.reliability.planted import mistakes
from tests.reliability.simulator import checker

Step = Callable[[Commands], object]


@dataclass(frozen=True)
class Session:
    """Steps at a vendor (see `base.LISTS`), the one that finds the bug, and the promise that the bug breaks."""

    plant: Callable[[pytest.MonkeyPatch], None]
    vendor: tuple[str, float] | None
    steps: tuple[Step, ...]
    finder: int
    breaks: str


def _lost_answer(session: Commands) -> None:
    session.sim.server.plan("b", submit=["unknown-after"])


def _stopped_before_the_intent(session: Commands) -> None:
    """For longer than ten minutes, and a second process is started."""
    session.sim.save()
    names = session.sim.dies(None).names
    session.sim.load()
    session.apply_stopped(names.index("store.begin before") + 1, 700.0, second="apply")


_BEGUN: tuple[Step, ...] = (lambda s: s.apply(), lambda s: s.time_passes(3600.0), lambda s: s.edit("b", "a candle"))
_APPLY: Step = lambda s: s.apply()  # noqa: E731  # a step like the others

SESSIONS: Mapping[str, Session] = {
    "an absence by the clock of this computer": Session(
        mistakes.local_time, ("seeded", 100.0),
        (*_BEGUN, _lost_answer, _APPLY, lambda s: s.clock_is_set(3600.0), _APPLY, _APPLY), 5, "I1",
    ),
    "a lock that expires": Session(mistakes.lease, None, (_stopped_before_the_intent, _APPLY), 0, "I1"),
    "the task of a second checkout": Session(
        mistakes.first_that_fits, ("plain", 0.0),
        (*_BEGUN, lambda s: s.second_checkout_applies(None), _lost_answer, _APPLY, _APPLY), 3, "I2",
    ),
}  # fmt: skip


def found(name: str, *, planted: bool = True, without: bool = False) -> set[str]:
    """The promises that the judge sees broken. `without`: the step that finds the bug is left out."""
    session = SESSIONS[name]
    steps = [step for number, step in enumerate(session.steps) if not (without and number == session.finder)]
    with closing(_play(session, steps, planted=planted)) as findings:
        return {text.partition(":")[0] for text in findings}


def _play(session: Session, steps: list[Step], *, planted: bool) -> Generator[str]:
    commands = Commands()
    with commands.stack, pytest.MonkeyPatch.context() as patch:
        commands.begin(session.vendor)
        if planted:
            session.plant(patch)
        for step in steps:
            step(commands)
            yield from commands.sim.judged(checker.World(commands.sim.root))
