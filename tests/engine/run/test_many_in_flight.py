"""Many clips in flight: one of them costs as much among many as among few. Calls are counted, not seconds."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter

from reconciler.transport.pacing import ConcurrencyRamp
from tests.calls import calls, is_linear
from tests.reliability.simulator.points import Tripwire
from tests.reliability.simulator.sim import HEAD, Sim

WIDE = HEAD.replace("kind: fake,", "kind: fake, concurrency: 500,")


async def _ramp(count: int) -> None:
    ramp = ConcurrencyRamp(1)

    async def submit() -> None:
        async with ramp.slot():
            await asyncio.sleep(0)

    await asyncio.gather(*(submit() for _ in range(count)))


def test_a_submit_that_waits_among_many_is_woken_once() -> None:
    assert is_linear(lambda count: calls(lambda: asyncio.run(_ramp(count))), 100)


def wide(count: int) -> str:
    return WIDE + "clips:\n" + "".join(f"  n{number}: {{prompt: lamp {number}}}\n" for number in range(count))


def test_a_clip_among_many_takes_as_many_calls_as_among_few(sim: Sim) -> None:
    sim.save()

    def run(count: int) -> int:
        sim.load()
        sim.write(wide(count))
        cost = calls(sim.apply)
        assert len(sim.server.ledger) == count
        return cost

    assert is_linear(run, 40)


def test_a_paid_clip_costs_four_commits_and_seven_syncs_of_files(sim: Sim) -> None:
    """Intent, task, video, output; two receipts, the video and its folder, the output, its folder, and a new folder of
    the store. SQLite's own syncs are beside these."""
    sim.save()

    def points(count: int) -> Counter[str]:
        sim.load()
        sim.wire = Tripwire()
        sim.write(wide(count))
        sim.apply()
        return Counter(name.split(" in ")[0] for name in sim.wire.names)

    few, more = points(2), points(5)
    assert (more["commit before"] - few["commit before"], more["sync"] - few["sync"]) == (3 * 4, 3 * 7)


def test_an_interrupt_wakes_all_who_wait(sim: Sim) -> None:
    sim.write(wide(20))
    sim.server.at["poll", "n7"] = lambda: signal.raise_signal(signal.SIGINT)
    summary = sim.apply()
    assert (summary.exit_code, len(sim.server.ledger)) == (130, 20)
    sim.rest()
    assert len(sim.server.ledger) == 20
