"""Full disks of every size, and folders that cannot be written: real mounts where permitted.

A file system in memory allocates pages, so each number of free pages is tried. `RLIMIT_FSIZE` cuts at any byte of a
file, and a wrapper fails from any point on: both need no mount and replace one where it is not permitted.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.reliability.figures import Tally
from tests.reliability.processes.launch import PATIENCE, Hung
from tests.reliability.processes.real_project import Box
from tests.reliability.processes.realkills import APPLY, MOST, STORIES, Stage, stage
from tests.reliability.simulator import checker

SWEEP = "r3 · full disks"
PAGE = os.sysconf("SC_PAGE_SIZE")
SIZE = 96 << 20
"""More than the room that a download wants to see before it begins."""
PAGES = {"one": 56, "replace": 12}
"""Free pages with which a run of a story comes as far as its purchase."""
FILLS = {"vendor.slot": 32, "vendor.request sent": 8, "vendor.fetch half": 12}
"""Points at which the disk fills while a run is at work, and how many pages are enough from there to its end. Before a
purchase there was room, else it would have been refused."""
FULL = ("the disk is full", "size limit", "disk I/O error", "free some space")
"""What a user is told; SQLite calls it an I/O error where a file may not grow."""


def unable() -> str:
    """Why nothing can be mounted here; empty if it can."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return "mounting needs root and mount"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, text=True)
        if done.returncode:
            return f"mount is not permitted here ({done.stderr.strip() or done.returncode})"
        subprocess.run(["umount", folder], check=True)
    return ""


@contextmanager
def mounted(path: Path, *options: str) -> Iterator[None]:
    """A mount for the time of the block."""
    subprocess.run(["mount", *options, str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextmanager
def small(box: Box) -> Iterator[Path]:
    """The project on a small file system of its own. Gives the filler, a file beside its own."""
    spec = (box.root / "clipform.yaml").read_bytes()
    with mounted(box.root, "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs"):
        (box.root / "clipform.yaml").write_bytes(spec)
        yield box.root / "filler"


def leave(filler: Path, free: int) -> None:
    """Fill the file system so that so many bytes are left."""
    filler.unlink(missing_ok=True)
    status = os.statvfs(filler.parent)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(PAGE, status.f_bavail * status.f_frsize - free))


def by_pages(tally: Tally, played: Stage, name: str, first: int, stride: int) -> None:
    """A file system with `first`, `first + stride`, … free pages from the beginning."""
    story = STORIES[name]
    for free in range(first, PAGES[name], stride):
        box = played.boxes(story, anew=True)()
        with small(box) as filler:
            if story.before is not None:
                story.before(box, played.starter)
            leave(filler, free * PAGE)
            process = box.run(played.starter, *APPLY)
            bought = len(box.entries()) - (story.before is not None)
            _judged(tally, box, played, process.status, f"{name}, {free} free pages", filler.unlink)
            if bought:
                tally.broken.append(f"bought without room to bring it home [{SWEEP}: {name}, {free} free pages]")


def under_way(tally: Tally, played: Stage, point: str, first: int, stride: int) -> None:
    """The same, but there was room at first, and it is gone at a point: intent, receipts, part, object, records and
    output meet the end."""
    for free in range(first, FILLS[point], stride):
        box = played.boxes(STORIES["one"], anew=True)()
        with small(box) as filler:
            process = box.begin(played.starter, name=point, signal=int(signal.SIGSTOP))
            process.until_stopped()
            leave(filler, free * PAGE)
            process.signal(signal.SIGCONT)
            process.wait()
            box.ended(process)
            _judged(tally, box, played, process.status, f"{free} free pages from {point} on", filler.unlink)


def by_bytes(tally: Tally, played: Stage, limits: Iterator[int]) -> None:
    """The installed command, which may make no file larger than that."""
    for limit in limits:
        box = played.boxes(STORIES["one"])()

        def bounded(limit: int = limit) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        with box.start(args=("apply", "--yes"), preexec_fn=bounded) as process:
            out, err = process.communicate(timeout=PATIENCE)
        box.said += [out.decode(), err.decode()]
        _judged(tally, box, played, process.returncode, f"files of {limit} bytes at most", lambda: None)


def sizes(played: Stage) -> list[int]:
    """The sizes of all files that a clean run leaves, and their neighbours."""
    box = played.boxes(STORIES["one"])()
    box.run(played.starter, *APPLY)
    found = {path.stat().st_size for path in box.root.rglob("*") if path.is_file()}
    whole = {0, 1, 40, 512, 4096, 8192, 16384, 32768, *found}
    return sorted({size + by for size in whole for by in (-1, 0, 1) if size + by >= 0} | {size // 2 for size in found})


def by_points(tally: Tally, played: Stage, first: int, stride: int) -> None:
    """The disk has no space from point `first`, `first + stride`, … on: a wrapper says so."""
    fresh = played.boxes(STORIES["one"])
    for k in range(first, MOST, stride):
        box = fresh()
        process = box.run(played.starter, *APPLY, full=k)
        at = process.points[k - 1] if len(process.points) >= k else "the end"
        if _judged(tally, box, played, process.status, f"full from point {k} on, {at}", lambda: None, sudden=True):
            return


def _judged(
    tally: Tally,
    box: Box,
    played: Stage,
    status: int | None,
    title: str,
    free: Callable[[], object],
    *,
    sudden: bool = False,
) -> bool:
    """The judge while the disk is full, and when there is space again: one run does the rest. Whether nothing failed.

    Nobody may be asked about a full disk, unless the id could be kept nowhere; then the user was told it. `sudden`: it
    was full from one instant to the next, so that not even "nothing was sent" could be written down.
    """
    tally.scenarios[SWEEP] += 1
    tally.injected += 1
    found = box.at_once()
    if status not in (0, 1, 3):
        found.append(f"it ended with {status}")
    if status and not any(words in "".join(box.said) for words in FULL):
        found.append(f"the user is not told that the disk is full: {box.said[-1][-400:]}")
    if "Traceback" in "".join(box.said):
        found.append(f"traceback: {box.said[-1][-400:]}")
    free()
    said, asked = "".join(box.said), list[str]()
    try:
        again = box.run(played.starter, *APPLY)
        asked = box.in_doubt()
        if not asked and (again.status != 0 or box.outputs() != ["hero"]):
            found.append(f"I10: with space again, {again.status}: {again.said()[-400:]}")
        told = any(entry["task"] in said for entry in box.entries())
        needless = bool(asked) and not box.entries()
        if asked and not told and not (sudden and needless):
            found.append("asked about what was not sent, or was not told")
        tally.needless += needless
        tally.asking += bool(asked)
    except Hung as error:
        found.append(f"I13: {error}")
    found += [*box.at_once(), *box.at_rest()]
    tally.broken += [f"{text} [{SWEEP}: {title}]" for text in dict.fromkeys(found)]
    tally.itself += not (found or asked)
    tally.scanned += sum(path.is_file() for path in box.folder.rglob("*"))
    return status == 0


# --- what cannot be written -----------------------------------------------------------------

GUARDED = ("", "state", "state/objects", "renders")
"""What is read-only: the project, and folders in it."""


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """A folder that nobody may change, root included."""
    with mounted(path, "--bind", str(path)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(path)], check=True)
        yield


def guarded(tally: Tally, played: Stage, place: str, *, used: bool) -> None:
    """An apply that would buy, in a project of which a part cannot be written: refused before anything is sent.

    `used`: there is a state already, and a clip to replace.
    """
    box = played.boxes(STORIES["replace" if used else "one"], anew=True)()
    if used:
        before = STORIES["replace"].before
        assert before is not None
        before(box, played.starter)
    (box.root / place).mkdir(parents=True, exist_ok=True)
    bought, found = len(box.entries()), list[str]()
    with read_only(box.root / place):
        picture = checker.picture(box.root / place)
        planned = box.run(played.starter, "plan")
        process = box.run(played.starter, *APPLY)
        if planned.status != 0:
            found.append(f"plan, which writes nothing, ended with {planned.status}: {planned.said()[-300:]}")
        if process.status not in (1, 3):
            found.append(f"it ended with {process.status}")
        if len(box.entries()) != bought:
            found.append("F26: it was bought before it was seen that nothing can be written")
        if not any(word in process.said() for word in ("read-only", "permission")):
            found.append(f"the user is not told why: {process.said()[-400:]}")
        if checker.picture(box.root / place) != picture:
            found.append("it was written all the same")
        found += box.at_once()
    tally.scenarios["r4 · read-only places"] += 1
    tally.injected += 1
    again = box.run(played.starter, *APPLY)
    if again.status != 0 or box.outputs() != ["hero"]:
        found.append(f"I10: once it can be written, {again.status}: {again.said()[-400:]}")
    found += [*box.at_once(), *box.at_rest()]
    title = f"{place or 'the project'} is read-only, {'used' if used else 'new'}"
    tally.broken += [f"{text} [r4 · {title}]" for text in dict.fromkeys(found)]
    tally.itself += not found


def disks(tally: Tally, seed: int, stride: int) -> None:
    """All of it."""
    with stage() as played:
        by_points(tally, played, 1 + seed % stride, stride)
        by_bytes(tally, played, iter(sizes(played)[seed % stride :: stride]))
        if reason := unable():
            tally.skipped.append(f"disk full by pages, read-only places: {reason}")
            return
        for name in PAGES:
            by_pages(tally, played, name, seed % stride, stride)
        for point in FILLS:
            under_way(tally, played, point, seed % 2, max(1, stride // 2))
        for place in GUARDED:
            for used in (False, True):
                guarded(tally, played, place, used=used)
