"""The same kills and lost answers at a vendor that lists its tasks: there the user is never asked."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.engine.uncertain.listing import listing_sim
from tests.reliability.figures import Tally
from tests.reliability.sweeps import ASKED, Court

LATER = 400.0
"""Seconds after which a list has settled."""
LOST = ("unknown-before", "unknown-after", "garbled-after", "error-before", "error-after", "redirect-after")


def kills(tally: Tally, kind: str, first: int = 1, stride: int = 1) -> None:
    """A kill at each point, by itself or after an answer that was lost. `kind`: seeded, or plain (no seeds)."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="clipform-test-", dir=memory if memory.is_dir() else None)
    try:
        with pytest.MonkeyPatch.context() as patch:
            sim = listing_sim(Path(folder) / "project", patch, kind)
            court = Court(sim, tally, "k · a vendor with a list")
            sim.save()
            for k in range(first, 2_000, stride):
                sim.load()
                word = LOST[k % len(LOST)]
                dead: list[bool] = []

                def play(k: int = k, word: str = word, dead: list[bool] = dead) -> int:
                    if k % 2:
                        sim.server.plan("hero", submit=[word])
                    dead.append(sim.dies(k).dead)
                    sim.server.heal()  # a person settles a second uncertain request in a row (never-pay-twice#s3-5)
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
    finally:
        shutil.rmtree(folder)
