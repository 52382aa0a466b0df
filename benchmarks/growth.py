"""Simulates the peak of a day with the scheduler that runs use: how many tasks are in flight, and how long clips wait.

    uv run python -m benchmarks.growth

Simulated: clips that arrive at random at five times the mean rate of a day, a task of 120 s each, accounts of 10 slots,
and `engine.run.scheduler.Scheduler` to admit them. A clip arrives as a step that needs a step of a clock, which ends
when its time has come. Not simulated: vendors, databases, downloads, failures. Of a day with more than `--accounts`
accounts only that many are simulated, and the figures are multiplied: accounts do not share slots.
"""

from __future__ import annotations

import argparse
import heapq
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import quantiles

from benchmarks.kit import circumstances, table
from reconciler.engine.run.scheduler import Ident, Scheduler
from reconciler.plan.model import Action, Reason, Step

TASK, SLOTS, PEAK, MOVES, LOOKS = 120.0, 10, 5, 7, 8
MINUTES = 30
HEADS = [
    *(
        "clips a day",
        "clips/s at the peak",
        "accounts",
        "in flight, most",
        "waits for a slot, p95",
        "moves/s",
        "looks/s",
    ),
    *("CPU of the scheduler a clip",),
]


@dataclass
class Peak:
    """What half an hour of peak was like."""

    most: int
    waits: list[float]
    clips: int
    cpu: float


def simulate(rate: float, accounts: int) -> Peak:
    """Let clips arrive at a rate, each at the next account in turn. The first 5 minutes are not counted."""
    chance = random.Random(1)
    arrivals, now = list[float](), 0.0
    while now < MINUTES * 60:
        now += chance.expovariate(rate)
        arrivals.append(now)
    steps = list[Step]()
    for number in range(len(arrivals)):
        tick = (f"t{number}", 0)
        steps.append(Step(*tick, Action.CREATE, Reason.NEW, f"tick {number}", provider="clock"))
        clip = Step(
            f"c{number}",
            1,
            Action.CREATE,
            Reason.NEW,
            f"v1:{number}",
            provider=f"a{number % accounts}",
            needs=(tick,),
        )
        steps.append(clip)
    began = time.process_time()
    scheduler = Scheduler(steps, {"clock": len(arrivals), **{f"a{n}": SLOTS for n in range(accounts)}})
    ends: list[tuple[float, Ident]] = []
    waits, flying, most, now = list[float](), 0, 0, 0.0
    while True:
        while (step := scheduler.admit()) is not None:
            number = int(step.clip[1:])
            if step.provider == "clock":
                heapq.heappush(ends, (arrivals[number], step.ident))
                continue
            flying += 1
            if now > 300:
                waits.append(now - arrivals[number])
                most = max(most, flying)
            heapq.heappush(ends, (now + TASK, step.ident))
        if not ends:
            break
        now, ident = heapq.heappop(ends)
        flying -= ident[1]
        scheduler.finish(scheduler.steps[ident], succeeded=True)
    return Peak(most, waits, len(arrivals), time.process_time() - began)


def row(day: int, most_accounts: int) -> list[str]:
    """A row of the table: half an hour at the peak of a day with so many clips."""
    rate = PEAK * day / 86_400
    needed = ceil(rate * TASK / SLOTS)
    accounts = needed + ceil(needed / 5)  # a fifth of room, or clips would wait longer and longer
    part = min(1.0, most_accounts / accounts)
    peak = simulate(rate * part, max(1, round(accounts * part)))
    p95 = quantiles(peak.waits, n=20)[-1] if len(peak.waits) > 1 else 0.0
    exact = "" if part == 1 else f" ({part:.1%} simulated)"
    return [
        f"{day:,}", f"{rate:.2f}", f"{accounts:,}{exact}", f"{peak.most / part:,.0f}", f"{p95:.0f} s",
        f"{rate * MOVES:,.1f}", f"{rate * LOOKS:,.1f}", f"{1e6 * peak.cpu / peak.clips / 2:.0f} µs",
    ]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Simulate the peak of a day.")
    parser.add_argument("--days", type=int, nargs="+", default=[10**3, 10**5, 10**7])
    parser.add_argument("--accounts", type=int, default=84, help="the most that are simulated")
    asked = parser.parse_args(arguments)
    print(f"{circumstances()}\n{table(HEADS, [row(day, asked.accounts) for day in asked.days])}")


if __name__ == "__main__":
    main()
