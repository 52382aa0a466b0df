"""The jobs of the sweeps with real processes, sockets, signals and disks. Only the points look inside the program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.reliability.processes import blackbox, disks, manners, power_cuts, realkills, realsignals, syscalls

Job = tuple[Callable[..., None], tuple[Any, ...]]

SHORT = {("signal=KILL", "pwrite64"): 101, ("error=EIO", "fdatasync"): 23, ("error=ENOSPC", "pwrite64"): 101}
CALLS = tuple(
    (fault, call, SHORT.get((fault, call), 0), 5 if call == "pwrite64" else 1)
    for fault, calls in syscalls.FAULTS.items()
    for call in calls
)
"""Fault, call, the stride of the short form (0: not in it) and of the long one."""


def jobs(seed: int, *, long: bool, thin: int = 1) -> Iterator[Job]:
    """What is played, the longest first. `thin`: only every so many-th point and call of the long form, from the first,
    the second, … by the story and the seed, so that as many seeds play them all."""
    count = 24 if long else 5
    for first in range(seed, seed + count, 6):
        yield blackbox.kills, (range(first, min(first + 6, seed + count)),)
    for number, name in enumerate(realkills.STORIES):
        yield realkills.kills, (name, 1 + (seed + number) % thin if long else 2 + number % 9, thin if long else 83)
    for number, name in enumerate(realkills.STORIES if long else ("one", "pair")):
        yield realkills.kills_in_recovery, (name, seed + number, 5 * thin if long else 41)
    yield realsignals.signals, (3 if long else 31,)
    yield realsignals.races, (10 if long else 2,)
    for first in range(2 if long else 1):
        yield disks.disks, (seed + first, 2 * thin if long else 16)
    if long:
        yield power_cuts.cuts, (1 + seed % thin, thin)
        yield power_cuts.planted, ()
    for fault, call, short, stride in CALLS:
        if long or short:
            yield syscalls.faults, (fault, call, 1 + seed % 5 if stride > 1 else 1, stride * thin if long else short)
    for dump in manners.SCHEMAS:
        yield manners.versions, (dump, 1 if long else 11, realkills.MOST if long else 40)
    yield manners.manners, (long,)
    yield syscalls.order, ()
