"""Plants a bug and looks for it: processes die at one point after another until the judge sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability.planted.bugs import BUGS, Bug
from tests.reliability.simulator import checker, order
from tests.reliability.simulator.power import Platter, keeps_inodes
from tests.reliability.simulator.sim import Sim
from tests.reliability.sweeps import fresh


def caught(name: str) -> set[str] | None:
    """Plant a bug and let processes die at one point after another, until the judge sees it; what was found. None where
    it cannot be played: a power cut needs a file system in memory."""
    bug = BUGS[name]
    with fresh() as sim, pytest.MonkeyPatch.context() as patch:
        if bug.power is not None and not keeps_inodes(sim.root.parent):
            return None
        sim.write(bug.spec)
        sim.cap, sim.server.micros = bug.cap, bug.micros
        sim.clock.limit = sim.clock.time + 6 * 3600.0
        sim.server.plan("hero", **bug.script)
        platter = Platter(patch, sim.root) if bug.power is not None else None
        bug.plant(patch)
        sim.save()
        found, names = _tried(sim, bug, 10_000, platter)  # first a run that nothing ends
        first = names.index(bug.at) if bug.at in names else 0
        points = range(1, len(names) + 1)
        for k in (*points[first:], *points[:first]):
            if bug.breaks in found:
                break
            sim.load()
            found |= _tried(sim, bug, k, platter)[0]
        return found


def _tried(sim: Sim, bug: Bug, k: int, platter: Platter | None) -> tuple[set[str], list[str]]:
    """What is found after a death at point `k` and another run, and the points that the first one passed."""
    found: set[str] = set()
    names: list[str] = []
    picture = None
    if platter is not None:
        assert bug.power is not None
        platter.settle()
        platter.lose = bug.lose
        picture = platter.cut(bug.power)
    fails = {k: 28} if bug.breaks == "traceback" else {}
    try:
        wire = sim.dies(None if fails else k, fails=fails, picture=picture)
        names = wire.names
        rules = order.broken(wire.trace) if bug.breaks == "order" else ()
        found |= {text.partition(":")[0] for text in [*_judged(sim), *rules]}
        bug.between(sim)
        sim.dies(None, fails={}, picture=picture)
        found |= {text.partition(":")[0] for text in _judged(sim)}
    except BaseException as error:  # noqa: BLE001  # what a wrong protocol ends in is what is looked for
        found.add("I13" if type(error).__name__ == "Deadlock" else "traceback")
        names = sim.wire.names
    return found, names


def _judged(sim: Sim) -> list[str]:
    return sim.judged(checker.World(Path(sim.root)))
