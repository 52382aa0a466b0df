"""A vendor in memory: its ledger, its dialect, its transport. It follows its script, and otherwise succeeds.

The ledger (`Server.ledger`) is the server's alone: every accepted task is owed, whatever the client records.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import ClassVar

from reconciler.artifacts.store import ByteSink
from reconciler.diagnostics import ProviderError
from reconciler.providers.base import (
    Accepted,
    Billing,
    Cancelled,
    Dialect,
    Failed,
    Job,
    MediaRef,
    Mode,
    Model,
    NoOutput,
    NotFound,
    NotSent,
    Pace,
    PollAnswer,
    PollTrouble,
    Refusal,
    Rejected,
    Reply,
    Request,
    SubmitAnswer,
    Succeeded,
    Unknown,
    Working,
)
from reconciler.providers.capabilities import CancelRefused
from reconciler.transport.redact import Redactor

SUBMITS = (
    "accept", "refuse-input", "refuse-moderation", "refuse-busy", "refuse-credentials", "refuse-account",
    "unknown-before", "unknown-after", "garbled-before", "garbled-after", "error-before", "error-after", "not-sent",
    "twin", "redirect-before", "redirect-after",
)  # fmt: skip
"""How a submit may be answered. "-before" is not accepted, "-after" is; the client cannot tell which."""

POLLS = (
    "working", "word", "trouble", "not-found", "other-id", "fail-free", "fail-billed", "no-link", "cancelled", "done",
)  # fmt: skip
FETCHES = ("whole", "dead", "broken", "short", "junk", "wrong")

_REFUSED = {
    "refuse-input": (400, Refusal.INPUT),
    "refuse-moderation": (422, Refusal.MODERATION),
    "refuse-busy": (429, Refusal.BUSY),
    "refuse-credentials": (401, Refusal.CREDENTIALS),
    "refuse-account": (402, Refusal.ACCOUNT),
}
_SCHEMES = frozenset({"file", "https"})

FILM = Model(
    name="film",
    line="Fake",
    modes=frozenset(Mode),
    durations=(1, 2, 3),
    max_images=4,
    image_schemes=_SCHEMES,
    video_schemes=_SCHEMES,
    max_videos=2,
    seed_max=2**31 - 1,
    reports_seed=True,
    has_audio=True,
    billing=Billing.PER_CLIP,
    defaults={"duration": 1, "audio": False},
)
DRAFTED = replace(FILM, name="drafted", resolutions=("480p",), draft_finals=("480p",))
"""A model with drafts of its own. Its finals are no larger: videos of that size take time to write."""


@dataclass
class Task:
    """One accepted order: what is owed, until a failure that is free."""

    id: str
    key: str
    marker: str
    label: str
    body: Mapping[str, object]
    micros: int
    owed: bool = True
    over: str = ""  # the final word that was told, if any
    polls: int = 0
    deleted: bool = False  # its record and its result, after it was finished
    buyer: str = ""  # the checkout that sent the order


@dataclass
class Plot:
    """What is to happen, in order; a word that begins with `*` stays for ever. Then all is well."""

    submit: deque[str] = field(default_factory=deque)
    poll: deque[str] = field(default_factory=deque)
    fetch: deque[str] = field(default_factory=deque)


class Server:
    """The vendor's side. `works` is how often a task says that it is working before it is done; `first` numbers the
    first task."""

    def __init__(self, clip: bytes, wrong: bytes, works: int = 1, micros: int = 500_000, first: int = 1) -> None:
        self.clip, self.wrong, self.works, self.micros = clip, wrong, works, micros
        self.ledger: dict[str, Task] = {}
        self.calls: list[tuple[str, str]] = []
        self.plots: dict[str, Plot] = defaultdict(Plot)
        self.at: dict[tuple[str, str], Callable[[], None]] = {}  # (verb, label): done while the server acts
        self.buyer = ""  # the checkout whose requests come now
        self._next = first - 1

    def plan(
        self, label: str = "", *, submit: Iterable[str] = (), poll: Iterable[str] = (), fetch: Iterable[str] = ()
    ) -> None:
        """What is to happen to a clip, or to all."""
        assert {word.lstrip("*") for word in (*submit, *poll, *fetch)} <= {*SUBMITS, *POLLS, *FETCHES}
        self.plots[label] = Plot(deque(submit), deque(poll), deque(fetch))

    def heal(self) -> None:
        """Remove all faults."""
        self.plots.clear()
        self.at.clear()

    def count(self, verb: str) -> int:
        """Return the number of requests of a kind."""
        return sum(1 for found, _ in self.calls if found == verb)

    def submits(self, label: str) -> int:
        """Return how many submits of a clip reached the server."""
        return self.calls.count(("submit", label))

    def by_key(self) -> dict[str, list[Task]]:
        """The books, by key."""
        found: dict[str, list[Task]] = defaultdict(list)
        for task in self.ledger.values():
            found[task.key].append(task)
        return found

    def content(self, task: str, word: str = "whole") -> bytes:
        """The file of a task: every task has bytes of its own, by a box that players pass over."""
        note = task.encode()
        clip = self.wrong if word == "wrong" else self.clip
        whole = clip + (8 + len(note)).to_bytes(4, "big") + b"free" + note
        return {"short": whole[: len(whole) // 2], "junk": b"<html>no such file</html>"}.get(word, whole)

    def sha256(self, task: str, word: str = "whole") -> str:
        """Return the hash of a task's file."""
        return hashlib.sha256(self.content(task, word)).hexdigest()

    def sound(self, task: str) -> set[str]:
        """The hashes of all whole videos that may be served for a task."""
        return set(self.videos(task))

    def videos(self, task: str) -> dict[str, str]:
        """The same, each with its word: what was asked for, or something else."""
        return {self.sha256(task, word): word for word in ("whole", "wrong")}

    # --- answers ----------------------------------------------------------------------------

    def _told(self, phase: str, label: str, otherwise: str) -> str:
        self.calls.append((phase, label))
        if (phase, label) in self.at:
            self.at[phase, label]()
        for name in (label, ""):
            words: deque[str] = getattr(self.plots[name], phase)
            if words:
                return words[0][1:] if words[0].startswith("*") else words.popleft()
        return otherwise

    def answer_submit(self, request: Request) -> Reply | NotSent | Unknown:
        """Take an order, or not."""
        body = request.body
        assert isinstance(body, dict)
        word = self._told("submit", str(body["label"]), "accept")
        if word in _REFUSED:
            return Reply(_REFUSED[word][0], {"error": f"said no: {word}"})
        if word == "not-sent":
            return NotSent("connection refused")
        twin = next(reversed(self.ledger), None)
        task = None if word.endswith("-before") else self._accept(body)
        match word.partition("-")[0]:
            case "unknown":
                return Unknown("the connection broke")
            case "garbled":
                return Reply(200, {"ok": True})
            case "redirect":
                return Reply(307, None, {"location": "https://else.fake.invalid/tasks"})
            case "error":
                return Reply(502, None, text="<html>bad gateway</html>")
            case "twin":
                return Reply(200, {"id": twin})
        assert task is not None
        return Reply(200, {"id": task.id})

    def _accept(self, body: Mapping[str, object]) -> Task:
        self._next += 1
        texts = (str(body[name]) for name in ("key", "marker", "label"))
        task = Task(f"task-{self._next}", *texts, body, self.micros, buyer=self.buyer)
        self.ledger[task.id] = task
        return task

    def answer_poll(self, request: Request) -> Reply | PollTrouble:
        """How a task stands."""
        ident = request.path.rpartition("/")[2]
        task = self.ledger.get(ident)
        if task is None:
            self.calls.append(("poll", ident))
            return Reply(404, {"error": "no such task"})
        if task.deleted:
            return Reply(404, {"error": "no such task"})
        task.polls += 1
        word = task.over or self._told("poll", task.label, "working" if task.polls <= self.works else "done")
        match word:
            case "trouble":
                return PollTrouble("the connection broke")
            case "not-found":
                return Reply(404, {"error": "no such task"})
            case "other-id":
                return Reply(200, {"id": "task-0", "status": "failed"})
            case "fail-free" | "fail-billed" | "cancelled":
                task.over, task.owed = word, word == "fail-billed"
        return Reply(200, {"id": ident, "status": word, "video": f"https://files.fake.invalid/{ident}"})

    def answer_delete(self, request: Request) -> Reply:
        """As one vendor has it: a queued task is cancelled; of a later one record and result are deleted."""
        ident = request.path.rpartition("/")[2]
        self.calls.append(("delete", ident))
        task = self.ledger[ident]
        if task.polls <= self.works and not task.over:
            task.over, task.owed = "cancelled", False
        else:
            task.deleted = True
        return Reply(200, {"id": ident, "status": task.over or "deleted"})

    def answer_fetch(self, url: str) -> bytes:
        """The bytes behind a link. Raises ProviderError for a dead one."""
        ident = url.rpartition("/")[2]
        word = self._told("fetch", self.ledger[ident].label, "whole")
        if word == "dead":
            raise ProviderError("the link is dead (403)", code="link-dead")
        if word == "broken":
            raise ProviderError("the connection broke")
        return self.content(ident, word)


class Fake:
    """The dialect of kind `fake`: durable, priced, takes a seed and audio, and files as they are."""

    kind: ClassVar[str] = "fake"
    base_url: ClassVar[str] = "https://api.fake.invalid"
    pace: ClassVar[Pace] = Pace(concurrency=4)
    models: ClassVar[Sequence[Model]] = (FILM, DRAFTED)
    default_model: ClassVar[str] = FILM.name

    def submit(self, job: Job) -> Request:
        body = {
            "key": job.key,
            "marker": job.marker,
            "label": job.label if job.take == 1 else f"{job.label}#{job.take}",
            "prompt": job.prompt,
            "seed": job.seed,
            "seconds": job.duration,
            "first_frame": _sent(job.first_frame),
            **({"draft_task": job.draft_task} if job.draft_task else {}),
        }
        return Request("POST", "/tasks", body=body)

    def read_submit(self, reply: Reply) -> SubmitAnswer:
        body = reply.body if isinstance(reply.body, dict) else {}
        ident = body.get("id")
        if isinstance(ident, str) and ident:
            return Accepted(ident)
        for code, refusal in _REFUSED.values():
            if reply.status == code:
                return Rejected(refusal, str(code), str(body.get("error", "")))
        return Unknown(f"the vendor answered {reply.status} without an id")

    def poll(self, task: str, job: Job | None) -> Request:
        return Request("GET", f"/tasks/{task}")

    def read_poll(self, task: str, reply: Reply) -> PollAnswer:
        body = reply.body if isinstance(reply.body, dict) else {}
        if reply.status == 404:
            return NotFound(str(body.get("error", "")))
        if body.get("id") != task:
            return PollTrouble("the reply is about another task")
        match body.get("status"):
            case "working":
                return Working(progress=10)
            case "done":
                return Succeeded(str(body["video"]))
            case "no-link":
                return NoOutput("the task has no video")
            case "fail-free":
                return Failed(Refusal.MODERATION, "moderated", "the output was refused", free=True)
            case "fail-billed":
                return Failed(Refusal.INTERNAL, "internal", "the render failed", free=False)
            case "cancelled":
                return Cancelled("somebody cancelled it")
        return Working(warning=f"unknown status {body.get('status')!r}")


def _sent(ref: MediaRef | None) -> str | None:
    return None if ref is None else ref.sha256 or ref.value


def create(settings: Mapping[str, object]) -> Fake:
    """Return the dialect; the registry calls this."""
    assert not settings
    return Fake()


class FakeTransport:
    """`engine.ports.Transport` to a server. `point` is passed before and after the server acts."""

    submit_silence = 180.0
    paused = 0.0

    def __init__(self, server: Server, dialect: Dialect, point: Callable[[str], None], account: str = "") -> None:
        self.server, self.dialect, self.point, self.account = server, dialect, point, account
        self.closed = False

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Callable[[Request], Awaitable[Reply | NotSent | Unknown]]]:
        await self._pass("vendor.slot")
        yield self.submit

    async def poll(self, task: str, job: Job | None) -> PollAnswer:
        reply = await self.ask(self.dialect.poll(task, job))
        return reply if isinstance(reply, PollTrouble) else self.dialect.read_poll(task, reply)

    async def submit(self, request: Request) -> Reply | NotSent | Unknown:
        await self._pass("vendor.submit before")
        answer = self.server.answer_submit(request)
        await self._pass("vendor.submit after")
        return answer

    async def ask(self, request: Request) -> Reply | PollTrouble:
        await self._pass("vendor.poll before")
        answer = self.server.answer_poll(request)
        await self._pass("vendor.poll after")
        return answer

    async def cancel(self, task: str) -> Cancelled | CancelRefused | NotFound | PollTrouble | None:
        await self._pass("vendor.cancel before")
        found = self.server.ledger.get(task)
        if found is None:
            return NotFound("no such task")
        if found.polls or found.over:
            return CancelRefused("it is running")
        found.over, found.owed = "cancelled", False
        await self._pass("vendor.cancel after")
        return Cancelled("by the user")

    async def fetch(self, url: str, part: ByteSink) -> tuple[int, str]:
        await self._pass("vendor.fetch before")
        content = self.server.answer_fetch(url)
        part.write(content[: len(content) // 2])
        await self._pass("vendor.fetch half")
        part.write(content[len(content) // 2 :])
        await self._pass("vendor.fetch after")
        return len(content), hashlib.sha256(content).hexdigest()

    def redact(self, text: str) -> str:
        return Redactor().text(text)

    async def aclose(self) -> None:
        self.closed = True

    async def _pass(self, name: str) -> None:
        self.point(name)
        await asyncio.sleep(0)  # also a place where others may go on
