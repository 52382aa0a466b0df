"""The same kills and lost answers at a vendor that lists its tasks: there the user is never asked."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.uncertain.listing import ListingServer, listing_sim
from tests.reliability.figures import Tally
from tests.reliability.sweeps import ASKED, Court

LATER = 400.0
"""Seconds after which a list has settled."""
LAGS = (0.0, 60.0, 119.0)
LOST = ("unknown-before", "unknown-after", "garbled-after", "error-before", "error-after", "redirect-after")


SWEEP = "k · a vendor with a list"


@contextmanager
def _listed(tally: Tally, kind: str) -> Iterator[tuple[Court, ListingServer]]:
    """A project in a folder in memory where there is one, nothing bought yet. `kind`: seeded, or plain (no seeds)."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="clipform-test-", dir=memory if memory.is_dir() else None)
    try:
        with pytest.MonkeyPatch.context() as patch:
            sim = listing_sim(Path(folder) / "project", patch, kind)
            assert isinstance(sim.server, ListingServer)
            sim.save()
            yield Court(sim, tally, SWEEP), sim.server
    finally:
        shutil.rmtree(folder)


def kills(tally: Tally, kind: str, first: int = 1, stride: int = 1) -> None:
    """A kill at each point, by itself or after an answer that was lost."""
    with _listed(tally, kind) as (court, server):
        sim = court.sim
        for k in range(first, 2_000, stride):
            sim.load()
            word = LOST[k % len(LOST)]
            dead: list[bool] = []

            def play(k: int = k, word: str = word, dead: list[bool] = dead) -> int:
                server.lag = LAGS[k // len(LOST) % len(LAGS)]
                if k % 2:
                    server.plan("hero", submit=[word])
                dead.append(sim.dies(k).dead)
                server.heal()  # a person settles a second uncertain request in a row (never-pay-twice#s3-5)
                court.look(f"{kind}, {word if k % 2 else 'accepted'}, kill at {k}, at once")
                for _ in range(3):
                    sim.apply()
                    sim.clock.time += LATER
                return dead[0] + k % 2

            court.scenario(f"{kind}, {word if k % 2 else 'accepted'}, kill at {k}", play)
            tally.listed += 1
            tally.asking_listed += any(attempt.state.value in ASKED for attempt in sim.attempts())
            if not (dead and dead[0]) and (k % 2 == 0 or k > 400):
                break


def clocks(tally: Tally, kind: str, jump: float, first: int = 1, stride: int = 1) -> None:
    """A kill at each point, and a wall clock that is set by `jump` seconds after it, at a list that lags (F90)."""
    with _listed(tally, kind) as (court, server):
        sim = court.sim
        for k in range(first, 2_000, stride):
            sim.load()
            server.lag = 119.0
            dead: list[bool] = []
            story = f"{kind}, kill at {k}, then the clock is set by {jump:+.0f} s"

            def play(k: int = k, dead: list[bool] = dead, story: str = story) -> int:
                dead.append(sim.dies(k).dead)
                sim.clock.offset += jump
                for wait in (0.0, 35.0, 0.0, LATER, 0.0):
                    sim.apply()
                    court.look(story)
                    sim.clock.time += wait
                return dead[0] + 1

            court.scenario(story, play)
            if not (dead and dead[0]):
                break
