"""The state of the emulator: tasks and their status, result links, uploads, leaks.

Nothing runs in the background: a task's status is computed from the clock at each request, so that the same clock
gives the same answers. A schedule waits only for the clip: a task is not done before its file is.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Callable, Collection
from dataclasses import field, replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

from reconciler.emulator import faults
from reconciler.emulator.checks import scheme_of
from reconciler.emulator.ledger import Charge, Entry, Ledger, account_of, shortened
from reconciler.emulator.rulebook import Faults
from reconciler.emulator.shapes import Shape, Source
from reconciler.emulator.studio import Studio
from reconciler.frozen import dataclass


class Stage(StrEnum):
    """The status of a task; every vendor has its own words for these."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Schedule:
    """The duration of a task: a fifth of `latency` seconds in the queue, then running."""

    latency: float = 2.0

    def at(self, age: float) -> tuple[Stage, int]:
        """Return the status of a task of this age in seconds, and its progress in percent."""
        if age >= self.latency:
            return Stage.DONE, 100
        if age < self.latency / 5:
            return Stage.QUEUED, 0
        return Stage.RUNNING, max(1, min(99, int(100 * age / self.latency)))


@dataclass(slots=True)
class Task:
    """One accepted task."""

    id: str
    kind: str
    account: str
    model: str
    shape: Shape
    request: dict[str, object]
    taken: float
    charge: Charge
    fate: faults.Sticky | None = None
    number: int = 0  # in the order of acceptance
    ended: float | None = None  # when a request first saw its end
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """The status of a task as one poll shows it, faults included. `word` replaces the vendor's status word, and
    `reporting` changes what else is shown."""

    id: str
    stage: Stage
    progress: int
    video: str | None = None
    last_frame: str | None = None
    code: str = ""
    message: str = ""
    word: tuple[object] | None = None
    reporting: faults.Reporting | None = None


@dataclass(slots=True)
class Upload:
    """An uploaded file, or a slot that waits for one."""

    id: str
    kind: str
    account: str
    name: str
    mime: str
    size: int = 0
    path: Path | None = None


@dataclass(slots=True)
class World:
    """The state of one run. `now` is Unix seconds. `list_rate`: list requests a second that Ark accepts from an
    account, 0: any number; `listed` is when each account's last one was accepted."""

    now: Callable[[], float]
    studio: Studio
    ledger: Ledger
    faults: Faults
    scratch: Path
    schedule: Schedule = Schedule()
    media: str = "http://media.invalid"  # the media origin's address
    list_rate: float = 0.0
    listed: dict[str, float] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    leaks: list[dict[str, str]] = field(default_factory=list)
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def accept(self, task: Task) -> Task:
        """Accept a task: record it in the ledger, and start its clip."""
        if isinstance(task.fate, faults.WrongClip):
            task.shape = _wrong(task.shape, task.fate)
        elif isinstance(task.fate, faults.OwnSeed):
            task.shape = replace(task.shape, seed=None)
        self.studio.order(task.shape)
        task.number = len(self.ledger.entries) + 1
        self.tasks[task.id] = task
        self.ledger.add(
            Entry(
                task.number,
                task.taken,
                task.kind,
                task.id,
                task.model,
                account_of(task.account),
                shortened(task.request),
                task.charge,
            )
        )
        return task

    def find(self, kind: str, account: str, task_id: str) -> Task | None:
        """Return a task of an account of a vendor, else None."""
        task = self.tasks.get(task_id)
        return task if task is not None and (task.kind, task.account) == (kind, account) else None

    def newest_first(self, kind: str, account: str, ids: Collection[str] = ()) -> list[Task]:
        """Return the tasks of an account, newest first; if `ids` is not empty, only those."""
        tasks = [self.tasks[name] for name in set(ids) if name in self.tasks] if ids else self.tasks.values()
        matching = (task for task in tasks if (task.kind, task.account) == (kind, account))
        return sorted(matching, key=lambda task: task.number, reverse=True)

    def progress(self, task: Task) -> tuple[Stage, int]:
        """Return a task's status by the clock, and its progress in percent."""
        if task.cancelled:
            return Stage.CANCELLED, 0
        stage, progress = self.schedule.at(self.now() - task.taken)
        if stage is not Stage.DONE:
            return stage, progress
        if not self.studio.ready(task.shape):
            return Stage.RUNNING, 99
        task.ended = task.ended or self.now()
        failed = isinstance(task.fate, faults.Fail) or self.studio.failure(task.shape)
        return (Stage.FAILED, 0) if failed else (Stage.DONE, 100)

    def look(self, task: Task, fault: object, life: float, renews: bool) -> Seen:
        """Return a task's status for one request, with the fault of this poll or else the task's own."""
        stage, progress = self.progress(task)
        seen = Seen(task.id, stage, progress)
        if stage is Stage.DONE:
            since = self.now() if renews else task.ended or self.now()
            video, last = self.link(f"/v/{task.id}.mp4", since + life), self.link(f"/f/{task.id}.png", since + life)
            seen = replace(seen, video=video, last_frame=last if task.shape.return_last_frame else None)
        elif stage is Stage.FAILED:
            fate = task.fate if isinstance(task.fate, faults.Fail) else faults.Fail(code="internal")
            message = fate.message or self.studio.failure(task.shape)
            seen = replace(seen, code=fate.code, message=message)
        return with_fault(seen, fault if isinstance(fault, faults.PollAction) else task.fate)

    def link(self, path: str, expires: float) -> str:
        """Return a URL at the media origin that is valid until `expires`."""
        until = str(int(expires))
        return f"{self.media}{quote(path)}?expires={until}&token={self.sign(path, until)}"

    def sign(self, path: str, until: str) -> str:
        """Return the token of a link."""
        return hmac.new(self._secret, f"{path} {until}".encode(), hashlib.sha256).hexdigest()[:32]

    def store_upload(self, upload: Upload, content: bytes) -> None:
        """Store the bytes of an upload."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        path = self.scratch / f"upload-{upload.id}"
        path.write_bytes(content)
        upload.path, upload.size = path, len(content)

    def source(self, value: str) -> Source:
        """Return an input for the draft renderer: our own uploads as their file, bare Base64 as data."""
        if value.startswith(f"{self.media}/u/"):
            upload = self.uploads.get(value.removeprefix(f"{self.media}/u/").partition("/")[0])
            if upload is not None and upload.path is not None:
                return Source("file", str(upload.path))
        scheme = scheme_of(value)
        if scheme == "bare":
            return Source("data", f"data:image/png;base64,{value}")
        return Source("https" if scheme == "http" else scheme, value)

    def reset(self) -> None:
        """Clear tasks, uploads, leaks and the ledger in memory."""
        self.tasks.clear()
        self.uploads.clear()
        self.leaks.clear()
        self.ledger.clear()


def new_id() -> str:
    """Return an id that is unique over restarts too: a client may remember ids of an earlier run."""
    return str(uuid.uuid4())


def with_fault(seen: Seen, fault: object) -> Seen:
    """Return a status as a fault of the poll phase changes it; other faults do not."""
    match fault:
        case faults.Word(word=word):
            return replace(seen, word=(word,), video=None, last_frame=None)
        case faults.Backwards():
            return Seen(seen.id, Stage.QUEUED, 0)
        case faults.Stuck():
            return Seen(seen.id, Stage.RUNNING, min(seen.progress, 42))
        case faults.Fail(code=code, message=message):
            ended = seen.stage in (Stage.DONE, Stage.FAILED)
            return Seen(seen.id, Stage.FAILED, 0, code=code, message=message) if ended else seen
        case faults.NoLink():
            return replace(seen, video=None, last_frame=None)
        case faults.Link(to=to) if seen.stage is Stage.DONE:
            return replace(seen, video=to)
        case faults.Ignore() | faults.Report() | faults.Silent():
            return replace(seen, reporting=fault)
        case faults.OtherTask():
            return replace(seen, id=new_id())
    return seen


def _wrong(shape: Shape, fate: faults.WrongClip) -> Shape:
    """Return the clip that is rendered instead."""
    return replace(
        shape,
        duration=fate.duration or shape.duration,
        resolution=fate.resolution or shape.resolution,
        ratio=fate.ratio or shape.ratio,
        audio=shape.audio if fate.audio is None else fate.audio,
    )
