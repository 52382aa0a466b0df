"""The sweeps over every fault of an HTTP exchange: once, always, and combined with a kill."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.reliability.figures import Tally
from tests.reliability.simulator import wired
from tests.reliability.simulator.points import Tripwire
from tests.reliability.simulator.wired import Fault, Net
from tests.reliability.sweeps import Court, fresh

REFUSING = frozenset({400, 401, 402, 429})


@contextmanager
def _court(tally: Tally, sweep: str) -> Iterator[tuple[Court, Net]]:
    with fresh() as sim, pytest.MonkeyPatch.context() as patch:
        net = wired.wired(sim, patch)
        sim.save()
        yield Court(sim, tally, sweep, lambda: (*wired.manners(net), *wired.patient(net))), net


def forms(phase: str, fault: Fault) -> tuple[bool, ...]:
    """Whether the vendor acts: both where nobody can tell; not where it says that it did not."""
    if fault.get("both"):
        return (False, True)
    answer = fault.get("answer", {})
    return (phase != "submit" or "own" in answer or answer.get("status") not in REFUSING,)


def _again(court: Court, net: Net) -> None:
    court.sim.load()
    net.heal()
    net.seen.clear()
    net.looks = 0


def single(tally: Tally, phase: str) -> None:
    """(m) Each of them once, in both forms; the attempt must end in the state that the table says."""
    with _court(tally, "m · one exchange goes wrong") as (court, net):
        for name, fault in wired.faults()[phase].items():
            for acts in forms(phase, fault):
                _again(court, net)

                def play(fault: Fault = fault, acts: bool = acts) -> int:
                    net.plan(phase, fault, acts=acts)
                    court.sim.apply()
                    state, ends = court.sim.states()[-1], fault.get("ends", "done")
                    assert state in ([ends] if isinstance(ends, str) else ends), f"it ends as {state}, not as {ends}"
                    assert not net.plans[phase], "the fault was not met"
                    net.heal()
                    return 1

                court.scenario(f"{phase}: {name}, {'after' if acts else 'before'} the vendor acts", play)


def for_ever(tally: Tally, phase: str, stride: int = 1) -> None:
    """(n) Every `stride`th of them for ever: the run ends within its bounds (I13), asks in moderation (I14), and all
    heals."""
    with _court(tally, "n · exchanges always go wrong") as (court, net):
        for name, fault in [*wired.faults()[phase].items()][::stride]:
            _again(court, net)
            court.sim.clock.limit = court.sim.clock.time + 2 * 86_400.0

            def play(fault: Fault = fault, name: str = name) -> int:
                net.always[phase] = {**fault, "acts": forms(phase, fault)[-1]}
                court.sim.apply()
                court.look(f"{phase}: {name}, for ever")
                net.heal()
                return 1

            court.scenario(f"{phase}: {name}, for ever", play)


def and_kills(tally: Tally, phase: str, stride: int, first: int = 0) -> None:
    """(c) Each of them once, and a kill at each point besides."""
    with _court(tally, "c · fault and kill") as (court, net):
        for number, (name, fault) in enumerate(wired.faults()[phase].items()):
            for k in range(1 + (number * 7 + first) % stride, 2_000, stride):
                _again(court, net)
                wires: list[Tripwire] = []

                def play(fault: Fault = fault, k: int = k, wires: list[Tripwire] = wires, name: str = name) -> int:
                    net.plan(phase, fault, acts=forms(phase, fault)[-1])
                    wires.append(court.sim.dies(k))
                    court.look(f"{phase}: {name}, kill at {k}, at once")
                    if wires[-1].dead:
                        court.sim.apply()
                    net.heal()
                    return 1 + wires[-1].dead

                court.scenario(f"{phase}: {name}, kill at {k}", play)
                if not wires[-1].dead:
                    break
