"""A project with real processes and files, and the evidence for its judge: the vendor's ledger file, the tree, the
output.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.kit import VARIABLES, project, traces
from tests.emulator.process import Emulator, emulator
from tests.reliability.processes.launch import PATIENCE, Launcher, Process
from tests.reliability.simulator import checker

COMMAND = Path(sys.executable).parent / "clipform"
CLIPS: Mapping[str, Mapping[str, Any]] = {"hero": {"prompt": "a lamp"}, "intro": {"prompt": "a candle"}}
ONE: Mapping[str, Mapping[str, Any]] = {"hero": {"prompt": "a lamp"}}
STILL = {"first_frame": "https://example.com/first.jpg", "resolution": "720p"}
"""What every model of a vendor wants that makes no video of words alone."""
LISTS = ("ark", "chanjing")
"""The kinds whose vendor has a list of its tasks: nobody is to be asked there about what was bought."""

_TASK = {
    "ark": ("/contents/generations/tasks/{}", ("content", "video_url")),
    "uniall": ("/v1/videos/{}", ("video_url",)),
}
"""Where a task stands, and where its link is in the answer."""


@dataclass(slots=True)
class Task:
    """One line of the vendor's books, as `checker` wants it. `key` and `marker` are those of the record that speaks of
    it, if there is one."""

    id: str
    label: str
    key: str
    marker: str
    owed: bool = True
    over: str = ""
    micros: int = 0
    deleted: bool = False  # the stories here delete nothing that is finished


class Books:
    """The vendor's side of one project. What a task's record is, is found by its id; what has none is paired with an
    attempt in doubt for the same prompt, each once."""

    def __init__(self, box: Box, world: checker.World) -> None:
        self.box, self.ledger = box, dict[str, Task]()
        attempts = world.rows("attempt")
        by_task = {row["task"]: row for row in (*attempts, *world.lock) if row.get("task")}
        doubts = [row for row in attempts if row["state"] in ("submitting", "uncertain", "abandoned")]
        for entry in box.entries():
            told = json.dumps(entry["request"], ensure_ascii=False)
            label = next((prompt for prompt in box.prompts if json.dumps(prompt) in told), "")
            row = by_task.get(entry["task"])
            if row is None:
                row = next((d for d in doubts if label and label in str(d["document"])), {})
                doubts = [d for d in doubts if d is not row]
            key, marker = str(row.get("key", label)), str(row.get("marker", ""))
            over = "cancelled" if entry["task"] in box.cancelled else ""
            self.ledger[entry["task"]] = Task(entry["task"], label, key, marker, over=over)

    def by_key(self) -> dict[str, list[Task]]:
        """As the simulator's vendor has it."""
        found: dict[str, list[Task]] = defaultdict(list)
        for task in self.ledger.values():
            found[task.key].append(task)
        return found

    def by_prompt(self) -> dict[str, list[Task]]:
        """The same by what was asked for, whatever the program's own records say."""
        found: dict[str, list[Task]] = defaultdict(list)
        for task in self.ledger.values():
            found[task.label].append(task)
        return found

    def sound(self, task: str) -> set[str]:
        """The hash of what the vendor serves for a task."""
        return {self.box.served(task)}

    def videos(self, task: str) -> dict[str, str]:
        """None that is known to be wrong or right: the sweep that has the emulator tamper judges what it did."""
        return {}


class Box:
    """A project with an account of its own at an emulator, whose ledger is a file."""

    def __init__(
        self,
        folder: Path,
        vendor: Emulator,
        kind: str,
        number: int,
        clips: Mapping[str, Mapping[str, Any]] = CLIPS,
        base: str = "",
        **more: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.kind, self.vendor, self.folder = kind, vendor, folder
        self.secret = f"canary/{number:016x}+Zq=%7E&~<>"
        wanted = {name: {**STILL, **clip} for name, clip in clips.items()} if kind == "jiekou" else dict(clips)
        self.root = project(kind, folder / "project", vendor, wanted, **more)
        if base:
            self.edit(vendor.api, base)
        self.prompts = [clip["prompt"] for clip in clips.values()]
        self.said: list[str] = []
        self.broken: list[str] = []
        self.cancelled: set[str] = set()
        self.since = 0  # lines of the ledger before this are another scenario's
        self.kept: list[dict[str, Any]] = []  # what was bought before the scenario
        for name in ("home", "cache", "runs"):
            (folder / name).mkdir(exist_ok=True)
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "PYTHONDONTWRITEBYTECODE": "1",
            **dict.fromkeys(VARIABLES[kind][:-1], f"app-{number}"),
            VARIABLES[kind][-1]: self.secret,
        }

    # --- doing ------------------------------------------------------------------------------

    def start(self, *before: str, args: Sequence[str] = ("--json", "apply", "--yes"), **more: Any) -> Any:
        """The installed command, in a session of its own."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        env = {**self.env, **streams.pop("env", {})}
        command = [*before, str(COMMAND), *args]
        return subprocess.Popen(command, cwd=self.root, env=env, start_new_session=True, **streams)

    def apply(self) -> int:
        """The installed command to its end."""
        with self.start() as process:
            out, err = process.communicate(timeout=PATIENCE)
        self.said += [out.decode("utf-8", "replace"), err.decode("utf-8", "replace")]
        return int(process.returncode)

    def begin(self, starter: Launcher, *args: str, **more: Any) -> Process:
        """The same program with points, begun."""
        runs = self.folder / "runs"
        args = args or ("apply", "--yes")
        return starter.start(runs, ("--json", *args), self.env, self.root, secret=self.secret, **more)

    def run(self, starter: Launcher, *args: str, **more: Any) -> Process:
        """The same to its end."""
        process = self.begin(starter, *args, **more)
        process.wait()
        return self.ended(process)

    def ended(self, process: Process) -> Process:
        """Take down what a process said, and what was seen of it."""
        self.said.append(process.said())
        self.broken += process.broken
        if "Traceback" in self.said[-1] or "This is a bug" in self.said[-1]:
            self.broken.append(f"traceback: {self.said[-1][-600:]}")
        return process

    def edit(self, old: str, new: str) -> None:
        """Change the project file."""
        file = self.root / "clipform.yaml"
        before = file.read_text(encoding="utf-8")
        assert old in before, f"{old!r} is not in {before}"
        file.write_text(before.replace(old, new), encoding="utf-8")

    # --- the vendor's side ------------------------------------------------------------------

    def entries(self) -> list[dict[str, Any]]:
        """What this account bought, from the ledger's file."""
        mine = hashlib.sha256(self.env[VARIABLES[self.kind][0]].encode()).hexdigest()[:12]
        lines = ledger_of(self.vendor).read_bytes().splitlines()[self.since :]
        return [*self.kept, *(e for e in map(json.loads, lines) if e["account"] == mine)]

    def served(self, task: str) -> str:
        """The hash of the vendor's file of a task, fetched from it; else of the stored file that bears its name."""
        if self.kind in _TASK:
            path, where = _TASK[self.kind]
            address = f"{self.vendor.api}/{self.kind}{path.format(task)}"
            told = json.loads(_got(address, {"Authorization": f"Bearer {self.secret}"}))
            for name in where:
                told = told.get(name) or {} if isinstance(told, dict) else {}
            return hashlib.sha256(_got(told)).hexdigest() if told else ""
        box = struct.pack(">I4s", 8 + len(task), b"free") + task.encode()
        found = (self.root / "state" / "objects").glob("[0-9a-f][0-9a-f]/*.mp4")
        return next((path.stem for path in found if path.read_bytes().endswith(box)), "")

    # --- judging ----------------------------------------------------------------------------

    def at_once(self, consents: int = 0, foreign: Collection[str] = ()) -> list[str]:
        """What must hold at this instant, and does not. `foreign`: hashes of the user's own files at outputs."""
        world = checker.World(self.root)
        books = Books(self, world)
        allowed = {*world.objects().values(), *foreign}
        outputs = {str(path.relative_to(self.root)): allowed for path in self.root.glob("*/*.mp4")}
        found = checker.safety(world, books, outputs)  # type: ignore[arg-type]  # all that it asks for is there
        for prompt, tasks in books.by_prompt().items():
            closed = sum(1 for task in tasks if task.over)
            if len(tasks) > 1 + consents + closed:
                found.append(f"I1: {len(tasks)} tasks were bought for '{prompt}'")
        broken, self.broken = self.broken, []
        return [*found, *broken]

    def at_rest(self, deleted: Collection[str] = ()) -> list[str]:
        """The same once all is calm, with what must have come true by then, and the search for the secret."""
        world = checker.World(self.root)
        found = checker.calm(world, Books(self, world), "", deleted)  # type: ignore[arg-type]  # as above
        return [*found, *(f"I7: the credential stands in {place[:100]}" for place in self.leaks())]

    def leaks(self) -> list[str]:
        """Where the credential stands."""
        return traces(self.secret, self.folder, self.said)

    def in_doubt(self) -> list[str]:
        """The clips whose newest attempt asks somebody."""
        return [str(row["clip"]) for row in checker.World(self.root).rows("attempt") if row["state"] == "uncertain"]

    def outputs(self) -> list[str]:
        """The clips that are made."""
        return sorted(path.stem for path in self.root.glob("renders/*.mp4"))

    # --- again and again --------------------------------------------------------------------

    def save(self) -> None:
        """Remember the project as it is, and what it bought."""
        shutil.copytree(self.root, self.folder / "base", symlinks=True)
        self.kept = self.entries()

    def load(self) -> None:
        """Go back to that. What is bought from here on is counted anew."""
        shutil.rmtree(self.root)
        shutil.copytree(self.folder / "base", self.root, symlinks=True)
        self.since = len(ledger_of(self.vendor).read_bytes().splitlines())
        self.said.clear()
        for name in ("runs", "cache"):
            shutil.rmtree(self.folder / name)
            (self.folder / name).mkdir()


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _got(address: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A page of the vendor's; one that is busy by a rule of its faults file is asked again."""
    for _ in range(5):
        with (
            suppress(urllib.error.HTTPError),
            _direct.open(urllib.request.Request(address, headers=dict(headers or {}))) as answer,
        ):
            content: bytes = answer.read()
            return content
    return b"{}"


_ledgers: dict[str, Path] = {}


def ledger_of(vendor: Emulator) -> Path:
    """The file that an emulator of ours writes."""
    return _ledgers[vendor.api]


@contextmanager
def vendor(
    folder: Path, *options: str, latency: float = 0.05, faults: Iterable[Mapping[str, Any]] = ()
) -> Iterator[Emulator]:
    """An emulator in its own process with its own ledger file. `faults`: the lines of its faults file."""
    folder.mkdir(parents=True, exist_ok=True)
    more = list(options)
    if rules := list(faults):
        (folder / "faults.json").write_text(json.dumps({"faults": rules}), encoding="utf-8")
        more += ["--faults", str(folder / "faults.json")]
    ledger = folder / "ledger"
    ledger.touch()
    with emulator("--latency", str(latency), "--no-render", "--ledger", str(ledger), *more, cwd=folder) as running:
        _ledgers[running.api] = ledger
        yield running
