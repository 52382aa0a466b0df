"""Power cuts below the file system: the program runs on one that forgets what was not synced (`unsynced`).

A process is killed at a point, and at that instant the power goes: what it had not synced is lost, whoever wrote it,
SQLite included. Then it runs again on what is left, and the judge looks.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.reliability.figures import Tally
from tests.reliability.processes import unsynced
from tests.reliability.processes.launch import ROOT
from tests.reliability.processes.realkills import APPLY, MOST, Stage, Story, stage
from tests.reliability.processes.realsignals import settle

SWEEP = "r9 · power cuts below the file system"
MODES = ("strict", "names", "seed")


def unable() -> str:
    """Why no such file system can be mounted; empty if it can."""
    if not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse"
    with tempfile.TemporaryDirectory() as folder:
        try:
            descriptor = unsynced.mount(Path(folder))
        except OSError as error:
            return f"FUSE may not be mounted: {error.strerror}"
        unsynced.unmount(Path(folder))
        os.close(descriptor)
    return ""


@contextmanager
def forgetful(folder: Path) -> Iterator[Callable[[str], None]]:
    """Mount the file system over a folder, with what is in it. What is yielded cuts the power, in a mode, once."""
    command = [sys.executable, "-m", unsynced.__name__, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None and server.stdout is not None
        lines, answers = server.stdin, server.stdout
        assert answers.readline() == b"mounted\n"

        def cut(mode: str) -> None:
            lines.write(f"cut {mode}\n".encode())
            lines.flush()
            assert answers.readline() == b"done\n"

        try:
            yield cut
        finally:
            lines.close()
            if server.wait(10):  # it failed: the kernel keeps its mount
                with suppress(OSError):
                    unsynced.unmount(folder)


def at_point(tally: Tally, played: Stage, k: int, mode: str, *, lazy: bool = False) -> bool:
    """The power goes at point `k`, or right after the end; True if it was at the point. `lazy`: nothing is synced."""
    story = Story("ark")
    box = played.boxes(story)()
    with forgetful(box.root) as cut:
        process = box.run(played.starter, *APPLY, at=k, lazy=lazy)
        cut(mode)
    hit = process.status == -signal.SIGKILL
    at = process.points[-1] if hit else "the end"
    tally.kills += hit
    tally.points |= set(process.points)
    settle(tally, box, played.starter, box.at_once(), f"{mode} cut at {k}, {at}", SWEEP)
    return hit


def cuts(tally: Tally, first: int, stride: int) -> None:
    """Sweep r9: a cut at each point, with the worst luck for contents and names, for contents, or by seed."""
    if reason := unable():
        tally.skipped.append(f"{SWEEP[5:]}: {reason}")
        return
    with stage() as played:
        for k in range(first, MOST, stride):
            mode = MODES[k // stride % len(MODES)]
            if not at_point(tally, played, k, str(k) if mode == "seed" else mode):
                return


def planted(tally: Tally) -> None:
    """A program that syncs nothing must be caught, though SQLite syncs its own file."""
    if unable():
        return
    findings = Tally()
    with stage() as played:
        at_point(findings, played, MOST, "strict", lazy=True)
    tally.planted += 1
    tally.caught += bool(findings.count("I2"))
    if not findings.count("I2"):
        tally.broken.append(f"harness: a program that syncs nothing is not caught; found {findings.broken}")
