"""From outside: the installed command, the emulator in its own process, real SIGKILL, and what the kernel saw.

The judge reads the emulator's ledger, the project's database and store, and searches everything that was written for
the canary credential. With strace, the order of system calls is judged too.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from reconciler.emulator.ledger import account_of
from reconciler.emulator.process import Emulator, emulator
from tests.e2e.kit import VARIABLES, ask, project, traces
from tests.reliability import checker
from tests.reliability.figures import Tally

COMMAND = Path(sys.executable).parent / "clipform"
KINDS = ("jiekou", "ark", "uniall")
PATIENCE = 60.0
CLIPS = {"hero": {"prompt": "a lamp"}, "intro": {"prompt": "a candle"}}
STILLS = {
    name: {**clip, "first_frame": "https://example.com/first.jpg", "resolution": "720p"} for name, clip in CLIPS.items()
}


class Box:
    """A project with an account of its own at an emulator."""

    def __init__(self, folder: Path, vendor: Emulator, kind: str, seed: int) -> None:
        self.secret = f"canary/{seed:016x}+Zq=%7E&~<>"
        self.vendor = vendor
        self.root = project(kind, folder / "project", vendor, STILLS if kind == "jiekou" else CLIPS)
        self.folder = folder
        self.said: list[str] = []
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "PYTHONDONTWRITEBYTECODE": "1",
            VARIABLES[kind][-1]: self.secret,
        }

    def start(self, *before: str) -> subprocess.Popen[bytes]:
        """An apply in a session of its own."""
        return subprocess.Popen(
            [*before, str(COMMAND), "--json", "apply", "--yes"],
            cwd=self.root,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def killed(self, *, lines: int | None, seconds: float) -> bool:
        """Kill an apply after so many lines of output, or so many seconds; whether it was still at work."""
        read = b""
        with self.start() as process:
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
        self.said += [(read + out).decode("utf-8", "replace"), err.decode("utf-8", "replace")]
        return alive

    def apply(self) -> None:
        """To the end."""
        with self.start() as process:
            out, err = process.communicate(timeout=PATIENCE)
        self.said += [out.decode("utf-8", "replace"), err.decode("utf-8", "replace")]

    def ledger(self) -> list[dict[str, object]]:
        """What this account bought."""
        mine = account_of(self.secret)
        return [entry for entry in ask(self.vendor, "/ledger")["entries"] if entry["account"] == mine]


def kills(tally: Tally, seeds: range) -> None:
    """One to three kills, at random times or after random lines, then two undisturbed runs."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        vendor = stack.enter_context(emulator("--latency", "0.05", "--no-render", cwd=Path(folder)))
        for seed in seeds:
            chance = random.Random(seed)
            home = Path(folder) / str(seed)
            home.mkdir()
            box = Box(home, vendor, chance.choice(KINDS), seed)
            tally.scenarios["i · SIGKILL from outside"] += 1
            for _ in range(chance.randint(1, 3)):
                lines = chance.choice((None, chance.randrange(7)))
                alive = box.killed(lines=lines, seconds=chance.uniform(0.3, 1.3))
                tally.kills += alive
                tally.injected += alive
                _note(tally, _at_once(box), seed)
            box.apply()
            box.apply()
            found = [*_at_once(box), *_at_rest(box, tally)]
            _note(tally, found, seed)
            tally.scanned += sum(path.is_file() for path in home.rglob("*"))


def _note(tally: Tally, found: Sequence[str], seed: int) -> None:
    tally.broken += [f"{text} [i · SIGKILL: seed {seed}]" for text in found]


def _at_once(box: Box) -> Iterator[str]:
    world, ledger = checker.World(box.root), box.ledger()
    rows = world.rows("attempt")
    ids = {row.get("task") for row in (*rows, *world.receipts)}
    lost = [entry["task"] for entry in ledger if entry["task"] not in ids]
    if len(lost) > sum(row["state"] in ("submitting", "uncertain") for row in rows):
        yield f"I2: {lost} were bought and are nowhere on record"
    if len(ledger) > len(CLIPS):
        yield f"I1: {len(ledger)} tasks were bought for {len(CLIPS)} clips"
    objects = world.objects()
    if any(not name.startswith(real) for name, real in objects.items()):
        yield "I5: an object is damaged"
    for path in box.root.glob("renders/*.mp4"):
        if hashlib.sha256(path.read_bytes()).hexdigest() not in objects.values():
            yield f"I4: {path.name} is not what was made"


def _at_rest(box: Box, tally: Tally) -> Iterator[str]:
    asked = [row["clip"] for row in checker.World(box.root).rows("attempt") if row["state"] == "uncertain"]
    made = sorted(path.stem for path in box.root.glob("renders/*.mp4"))
    tally.asking += bool(asked)
    tally.itself += not asked
    tally.needless += max(0, len(asked) + len(made) - len(box.ledger()))
    if sorted([*made, *asked]) != sorted(CLIPS):
        yield f"I3: made {made}, asked about {asked}"
    if any("Traceback" in text for text in box.said):
        yield "traceback: told to the user"
    for place in traces(box.secret, box.folder, box.said):
        yield f"I7: the credential stands in {place[:100]}"


# --- what the kernel saw ------------------------------------------------------------------------

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
    with emulator("--latency", "0.05", "--no-render", cwd=folder) as vendor:
        box = Box(folder, vendor, "ark", 1)
        words = (box.root / "clipform.yaml").read_text(encoding="utf-8")
        (box.root / "clipform.yaml").write_text(
            words.replace(', "intro": {"prompt": "a candle"}', ""), encoding="utf-8"
        )
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
