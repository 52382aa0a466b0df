"""System calls, observed with strace: their order around a purchase, and forbidden ones. Also kills at each call,
SQLite's included, or makes it fail.
"""

from __future__ import annotations

import compileall
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import reconciler
from tests.reliability.figures import Tally
from tests.reliability.processes.launch import PATIENCE
from tests.reliability.processes.real_project import ONE, Box, vendor
from tests.reliability.processes.realkills import STORIES, Stage, stage
from tests.reliability.processes.realsignals import settle

CALLS = (
    "open,openat,creat,rename,renameat,renameat2,link,linkat,fsync,fdatasync,connect,sendto,write,"
    "unlink,unlinkat,mkdir,mkdirat,truncate,chmod,fchmodat"
)
_CALL = re.compile(r"^\d+ +(\w+)\((.*)")
_HOST = re.compile(r'inet_addr\("([^"]*)"\)')
_PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')
_BASE = re.compile(r"^(?:AT_FDCWD|\d+)<([^>]*)>, \"((?:[^\"\\]|\\.)*)\"")


def unable() -> str:
    """Why strace cannot be used here; empty if it can."""
    if shutil.which("strace") is None:
        return "there is no strace"
    with tempfile.TemporaryDirectory() as folder:
        probe = ["strace", "-f", "-o", f"{folder}/out", "true"]
        return "" if subprocess.run(probe, capture_output=True).returncode == 0 else "strace may not trace here"


def trace(folder: Path) -> tuple[Box, list[tuple[str, str]]]:
    """The system calls of one apply that makes one clip."""
    compileall.compile_dir(
        reconciler.__path__[0], quiet=2
    )  # a module that is compiled meanwhile is a file that is written
    with vendor(folder / "vendor") as running:
        box = Box(folder / "box", running, "ark", 1, ONE)
        options = ("-f", "-y", "-s", "64", "-o", str(folder / "calls"), "-e", f"trace={CALLS}")
        with box.start("strace", *options) as process:
            _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err.decode()
    found = map(_CALL.match, (folder / "calls").read_text(encoding="utf-8", errors="replace").splitlines())
    return box, [(call[1], call[2]) for call in found if call is not None]


def orders(calls: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The rules of §4 and §3.5 that a trace breaks. Each name is where a thing was seen last, or first."""

    def at(name: str, text: str, after: int = -1) -> int:
        found = (i for i, (call, rest) in enumerate(calls) if i > after and call in name.split("|") and text in rest)
        return next(found, -1)

    submit = at("sendto|write", '"POST /')
    following = at("sendto|write", '"GET /', submit)
    part = at("fsync|fdatasync", "objects/tmp/attempt", following)
    renamed = at("rename|renameat|renameat2|linkat", "objects/tmp", following)
    folder = next(
        (i for i in range(renamed, len(calls)) if re.search(r"^\d+<[^>]*objects/[0-9a-f]{2}>", calls[i][1])), -1
    )
    committed = at("fdatasync|fsync", "clipform.db>", renamed)
    placed_part = at("fsync|fdatasync", "renders/.clipform-", committed)
    placed = at("rename|renameat|renameat2|link|linkat", '"hero.mp4"', committed)
    placed_folder = at("fsync|fdatasync", "renders>", placed)
    seen = (submit, following, part, renamed, folder, committed, placed_part, placed, placed_folder)
    if min(seen) < 0:
        yield f"order: not all was seen: {seen}"
        return
    for name in ("clipform.db>", "receipts>"):
        if not 0 <= at("fsync|fdatasync", name) < submit:
            yield f"order: {name} was not synced before the submit"
        if not submit < at("fsync|fdatasync", name, submit) < following:
            yield f"order: {name} was not synced between the answer and the next request"
    if not part < renamed < folder < committed < placed_part < placed < placed_folder:
        yield f"order: part, rename, folder, commit, place: {seen}"


def escapes(calls: Sequence[tuple[str, str]], box: Box) -> Iterator[str]:
    """Connections to elsewhere, and writes outside the project, its cache and what all processes share."""
    for name, rest in calls:
        if name == "connect" and (host := _HOST.search(rest)) and host[1] != "127.0.0.1":
            yield f"I9: connected to {host[1]}"
        changes = name not in ("open", "openat") or re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC)", rest)
        if name in ("fsync", "fdatasync", "connect", "sendto", "write") or not changes or " = -1 " in rest:
            continue
        based = _BASE.match(rest)
        paths = [os.path.join(based[1], based[2])] if based else _PATH.findall(rest)[:2]
        for path in paths:
            inside = Path(os.path.normpath(path)).is_relative_to(box.folder)
            if not inside and not path.startswith(("/dev/null", "/dev/shm/", "/dev/tty", "/proc/")):
                yield f"I8: {name} of {path}"


def order(tally: Tally) -> None:
    """(j) One apply under strace."""
    if reason := unable():
        tally.skipped.append(f"order of system calls: {reason}")
        return
    with tempfile.TemporaryDirectory() as folder:
        box, calls = trace(Path(folder))
        found = [*orders(calls), *escapes(calls, box)]
        tally.scenarios["j · order of system calls"] += 1
        tally.itself += not found
        tally.broken += [f"{text} [j · strace]" for text in found]


# --- a fault at each call -----------------------------------------------------------------------

SWEEP = "r5 · a fault at each system call"
MOST = 300
FAULTS = {
    "signal=KILL": (
        "pwrite64", "fdatasync", "fsync", "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat",
        "ftruncate", "fallocate", "mkdir", "mkdirat", "fchmod",
    ),
    "error=EIO": ("fdatasync", "fsync"),
    "error=ENOSPC": ("pwrite64", "fallocate", "mkdir", "mkdirat"),
}  # fmt: skip
"""What the kernel does at a call, and at which. What a run does not call costs one run."""


def at_calls(tally: Tally, played: Stage, fault: str, call: str, first: int = 1, stride: int = 1) -> None:
    """The installed command meets the fault at call number `first`, `first + stride`, … of that name, until a run has
    fewer of them. Each thread counts its own calls; all that matter are the main thread's."""
    fresh = played.boxes(STORIES["one"])
    for number in range(first, MOST, stride):
        box = fresh()
        log = box.folder / "calls"
        inject = ("-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={number}")
        with box.start("strace", "-f", "-qq", "-o", str(log), *inject) as process:
            out, err = process.communicate(timeout=PATIENCE)
        box.said += [out.decode("utf-8", "replace"), err.decode("utf-8", "replace")]
        hit = process.returncode == -signal.SIGKILL or b"(INJECTED)" in log.read_bytes()
        if not hit:
            return
        found = box.at_once()
        if b"Traceback" in err or b"This is a bug" in out + err:
            found.append(f"traceback: {box.said[-2:]}")
        settle(tally, box, played.starter, found, f"{fault} at {call} {number}", SWEEP)
        if fault.startswith("error") and box.in_doubt():
            tally.broken.append(f"asked because of one error [{SWEEP}: {fault} at {call} {number}]")
        tally.kills += process.returncode == -signal.SIGKILL


def faults(tally: Tally, fault: str, call: str, first: int, stride: int) -> None:
    """The same on a stage of its own."""
    if reason := unable():
        tally.skipped.append(f"a fault at each system call: {reason}")
        return
    with stage() as played:
        at_calls(tally, played, fault, call, first, stride)
