"""Black-box test: the installed command, the emulator in its own process, SIGKILL at random times.

The judge reads the emulator's ledger, the project's database and store, and searches everything that was written for
the canary credential.
"""

from __future__ import annotations

import os
import random
import select
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.reliability.figures import Tally
from tests.reliability.processes.launch import PATIENCE
from tests.reliability.processes.real_project import CLIPS, Box, vendor

KINDS = ("jiekou", "ark", "uniall")


def killed(box: Box, *, lines: int | None, seconds: float) -> bool:
    """Kill an apply after so many lines of output, or so many seconds; whether it was still at work."""
    read = b""
    with box.start() as process:
        assert process.stdout is not None
        if lines is not None:
            for _, line in zip(range(lines), process.stdout, strict=False):
                read += line
        else:
            descriptor = os.pidfd_open(process.pid)
            select.select([descriptor], [], [], seconds)
            os.close(descriptor)
        os.killpg(process.pid, signal.SIGKILL)  # it is not waited for yet, so the group is ours
        out, err = process.communicate(timeout=PATIENCE)
    alive = process.returncode == -signal.SIGKILL
    box.said += [(read + out).decode("utf-8", "replace"), err.decode("utf-8", "replace")]
    return alive


def kills(tally: Tally, seeds: range) -> None:
    """One to three kills, at random times or after random lines, then two undisturbed runs."""
    with tempfile.TemporaryDirectory() as folder, vendor(Path(folder) / "vendor") as running:
        for seed in seeds:
            chance = random.Random(seed)
            box = Box(Path(folder) / str(seed), running, chance.choice(KINDS), seed, CLIPS)
            tally.scenarios["i · SIGKILL from outside"] += 1
            found: list[str] = []
            for _ in range(chance.randint(1, 3)):
                lines = chance.choice((None, chance.randrange(7)))
                alive = killed(box, lines=lines, seconds=chance.uniform(0.3, 1.3))
                tally.kills += alive
                tally.injected += alive
                found += box.at_once()
            box.apply()
            box.apply()
            found += [*box.at_once(), *box.at_rest(), *_at_rest(box, tally)]
            tally.broken += [f"{text} [i · SIGKILL: seed {seed}]" for text in dict.fromkeys(found)]
            tally.scanned += sum(path.is_file() for path in box.folder.rglob("*"))


def _at_rest(box: Box, tally: Tally) -> Iterator[str]:
    asked, made = box.in_doubt(), box.outputs()
    tally.asking += bool(asked)
    tally.itself += not asked
    tally.needless += max(0, len(asked) + len(made) - len(box.entries()))
    if sorted([*made, *asked]) != sorted(CLIPS):
        yield f"I3: made {made}, asked about {asked}"
    if any("Traceback" in text for text in box.said):
        yield "traceback: told to the user"
