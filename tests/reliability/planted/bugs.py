"""Planted bugs: protocols and habits that are known to be wrong. The judge must catch each, else its verdict is
worthless."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from reconciler.artifacts import place as placing
from reconciler.artifacts import store as objects
from reconciler.artifacts.place import OutputContent, Placer
from reconciler.engine.attempt import download
from reconciler.engine.attempt import submit as buy
from reconciler.engine.attempt.context import AttemptContext
from reconciler.engine.run import session
from reconciler.events import EventKind
from reconciler.plan import cost
from reconciler.project import scan
from reconciler.providers.base import Failed, NotFound, NotSent, Refusal, Reply, Request, SubmitAnswer, Unknown
from reconciler.records import Artifact, Attempt, Money, Placed, State
from reconciler.state import disk
from reconciler.state.budget import Caps, NewAttempt
from reconciler.state.ledger import Facts, Merged
from reconciler.state.receipts import Receipts
from reconciler.state.store import Store
from tests.reliability.simulator.sim import HEAD, ONE, Sim
from tests.reliability.simulator.vendor import Fake, FakeTransport

Plant = Callable[[pytest.MonkeyPatch], None]


def _no_intent(patch: pytest.MonkeyPatch) -> None:
    """The request goes out first and is written down with its answer; a death in between forgets it."""
    waiting: dict[str, tuple[NewAttempt, Caps | None]] = {}

    class Late(session.Store):  # type: ignore[misc,name-defined]  # the class with points
        def begin(self, new: NewAttempt, caps: Caps | None = None, *_: object) -> Attempt:
            waiting[new.marker] = (new, caps)
            return Attempt(0, State.SUBMITTING, new.marker, 0.0, 0.0, **new.take_provenance())

        def move(self, attempt: Attempt, to: State, facts: Facts | None = None) -> Attempt:
            if attempt.marker in waiting:
                attempt = super().begin(*waiting.pop(attempt.marker))
            return super().move(attempt, to, facts)

    patch.setattr(session, "Store", Late)
    patch.setattr(Receipts, "intent", lambda self, attempt, account="": None)


def _id_at_the_end(patch: pytest.MonkeyPatch) -> None:
    """The task id is kept in memory and written when the result is there; orphans are taken for not sent."""

    class Forgetful(session.Store):  # type: ignore[misc,name-defined]
        def recover_orphans(self, except_kinds: object = ()) -> tuple[Attempt, ...]:
            found = super().recover_orphans(except_kinds)
            return tuple(self.move(attempt, State.NOT_SENT) for attempt in found)

    patch.setattr(session, "Store", Forgetful)
    patch.setattr(Receipts, "accepted", lambda self, attempt, task: None)


def _resubmit_on_unknown(patch: pytest.MonkeyPatch) -> None:
    """A broken connection is taken for a request that was not sent."""
    real = Store.move

    def move(self: Store, attempt: Attempt, to: State, facts: Facts | None = None) -> Attempt:
        return real(self, attempt, State.NOT_SENT if to is State.UNCERTAIN else to, facts)

    patch.setattr(Store, "move", move)
    patch.setattr(session.Store, "move", move)


def _unverified(patch: pytest.MonkeyPatch) -> None:
    """The bytes go to the output as they come in."""

    def place(self: Placer, output: str, artifact: objects.Stored, placed: Placed | None = None) -> Placed:
        source = self._objects.path(artifact.sha256, artifact.suffix).read_bytes()
        target = self._root / output
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source[: len(source) // 2])
        objects.disk.sync(0)  # a point where the process may die
        target.write_bytes(source)
        status = target.stat()
        return Placed(output, artifact.sha256, status.st_size, status.st_mtime_ns, status.st_ino)

    patch.setattr(Placer, "place", place)


def _reference_first(patch: pytest.MonkeyPatch) -> None:
    """The row is written before the artifact is in the store."""

    class Hasty(session.Store):  # type: ignore[misc,name-defined]
        pass

    real = objects.Part.commit
    pending: list[Callable[[], object]] = []

    def commit(self: objects.Part, suffix: str) -> objects.Stored:
        sha256, size = self._content()
        pending.append(lambda: real(self, suffix))
        return objects.Stored(sha256, suffix, size)

    @contextmanager
    def transaction(self: Store) -> Iterator[None]:
        with Store.transaction(self):
            yield
        if pending and not self.sql.connection.in_transaction:
            objects.disk.sync(0)
            pending.pop()()

    @contextmanager
    def kept(self: objects.Objects, name: str) -> Iterator[objects.Part]:
        stack = real_part(self, name)
        yield stack.__enter__()  # left open: the late commit needs it

    real_part = objects.Objects.part
    patch.setattr(objects.Part, "commit", commit)
    patch.setattr(objects.Objects, "part", kept)
    patch.setattr(Hasty, "transaction", transaction)
    patch.setattr(session, "Store", Hasty)


def _print_first(patch: pytest.MonkeyPatch) -> None:
    """The user is told of the task before it is on record: an output that fails loses the id."""
    real = buy._record

    def record(work: AttemptContext, attempt: Attempt, answer: SubmitAnswer) -> None:
        work.say(EventKind.SUBMITTED)
        real(work, attempt, answer)

    patch.setattr(buy, "_record", record)


def _intent_after(patch: pytest.MonkeyPatch) -> None:
    """The receipt of an intent is written when the answer is there."""
    real = Receipts.intent
    waiting: list[Attempt] = []

    def accepted(self: Receipts, attempt: Attempt, task: str) -> None:
        real(self, waiting.pop())
        real_accepted(self, attempt, task)

    real_accepted = Receipts.accepted
    patch.setattr(Receipts, "intent", lambda self, attempt, account="": waiting.append(attempt))
    patch.setattr(Receipts, "accepted", accepted)


def _again_on_500(patch: pytest.MonkeyPatch) -> None:
    """A 5xx answer is taken for a request that was not accepted."""
    real = buy._answer

    def answer(context: AttemptContext, reply: Reply) -> SubmitAnswer:
        return NotSent("a server error") if reply.status >= 500 else real(context, reply)

    patch.setattr(buy, "_answer", answer)


def _follow_redirects(patch: pytest.MonkeyPatch) -> None:
    """A 307 answer to a submit is followed: the same body, posted again."""
    real = FakeTransport.submit

    async def submit(self: FakeTransport, request: Request) -> Reply | NotSent | Unknown:
        answer = await real(self, request)
        return await real(self, request) if isinstance(answer, Reply) and answer.status == 307 else answer

    patch.setattr(FakeTransport, "submit", submit)


def _absent_at_once(patch: pytest.MonkeyPatch) -> None:
    """One "not found" is believed at once, and taken for a task that never was."""
    real = Fake.read_poll

    def read_poll(self: Fake, task: str, reply: Reply) -> object:
        answer = real(self, task, reply)
        return Failed(Refusal.INTERNAL, "gone", "no such task", free=True) if isinstance(answer, NotFound) else answer

    patch.setattr(Fake, "read_poll", read_poll)


def _late_is_failed(patch: pytest.MonkeyPatch) -> None:
    """A task that takes too long counts as failed and free, and is bought again."""
    real = Store.move

    def move(self: Store, attempt: Attempt, to: State, facts: Facts | None = None) -> Attempt:
        if to is not State.STALLED:
            return real(self, attempt, to, facts)
        return real(self, attempt, State.FAILED, Facts(money=Money.RELEASED))

    patch.setattr(session.Store, "move", move)


def _no_merge(patch: pytest.MonkeyPatch) -> None:
    """The receipts are written, and never read."""
    patch.setattr(session.Store, "merge", lambda self, lines: Merged())


def _float_money(patch: pytest.MonkeyPatch) -> None:
    """Money in floats of one decimal place, and a budget that compares them."""
    patch.setattr(buy, "to_micros", lambda amount: None if amount is None else int(round(float(amount), 1) * 1_000_000))
    patch.setattr(cost, "objections", lambda *_: ())


def _no_cap(patch: pytest.MonkeyPatch) -> None:
    """The budget is looked at when planning, never again when buying."""
    real = Store.begin

    def begin(self: Store, new: NewAttempt, caps: Caps | None = None, *_: object) -> Attempt:
        return real(self, new, None)

    patch.setattr(session.Store, "begin", begin)
    patch.setattr(cost, "objections", lambda *_: ())


def _unpriced_is_free(patch: pytest.MonkeyPatch) -> None:
    """What has no price counts as nothing."""
    real = Store.begin

    def begin(self: Store, new: NewAttempt, caps: Caps | None = None, *_: object) -> Attempt:
        return real(self, replace(new, cost_micros=0), caps)

    patch.setattr(session.Store, "begin", begin)
    patch.setattr(cost, "objections", lambda *_: ())


def _unproven(patch: pytest.MonkeyPatch) -> None:
    """Whatever was downloaded is a video."""

    async def proven(work: AttemptContext, part: objects.Part, attempt: Attempt) -> Artifact:
        return Artifact("", 0, ".mp4", 1000, 32, 18, False)

    patch.setattr(download, "_checked", proven)


def _overwrite(patch: pytest.MonkeyPatch) -> None:
    """Whatever is at an output is replaced."""

    def seen(root: str, path: str, placed: Placed | None, stamps: list[int]) -> scan.OutputFact:
        there = Path(root, path).exists()
        return scan.OutputFact(there, placed.sha256 if there and placed else None)

    patch.setattr(scan, "_output", seen)
    patch.setattr(Placer, "find", lambda self, output, placed: OutputContent.OURS)
    patch.setattr(placing, "_require_ours", lambda output, name, within, placed: True)


def _traceback(patch: pytest.MonkeyPatch) -> None:
    """An error of the operating system goes through to the user."""

    @contextmanager
    def plain(*_: object) -> Iterator[None]:
        yield

    patch.setattr(disk, "translated", plain)


def _again_for_ever(patch: pytest.MonkeyPatch) -> None:
    """A dead link is asked for anew without end."""
    patch.setattr(download, "FETCHES", 10**9)
    patch.setattr("reconciler.engine.attempt.runner.FETCHES", 10**9)


def _skipping(where: str, *, folders: bool | None = None) -> Plant:
    """Syncs of one module (or of all: "") do nothing: of files, of folders, or of both."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        real = disk._sync

        def sync(descriptor: int) -> None:
            frame, names = sys._getframe(1), set()
            for _ in range(5):
                names.add(os.path.basename(frame.f_code.co_filename))
                frame = frame.f_back or frame
            is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            if (where and f"{where}.py" not in names) or folders not in (None, is_folder):
                real(descriptor)

        patch.setattr(disk, "_sync", sync)

    return plant


@dataclass(frozen=True)
class Bug:
    """A planted bug, the promise that it breaks, and the conditions in which it shows."""

    plant: Plant
    breaks: str
    script: dict[str, list[str]] = field(default_factory=dict)
    spec: str = ONE
    cap: int | None = None
    micros: int = 500_000  # what the vendor takes for a clip
    between: Callable[[Sim], None] = lambda sim: None  # done before the second run
    power: str | int | None = None  # a power cut of this mode instead of a kill
    lose: int = 0  # commits that a power cut takes back
    at: str = ""  # the point at which a death shows it; the others are tried after it


def _lose_database(sim: Sim) -> None:
    for name in ("clipform.db", "clipform.db-journal"):
        (sim.root / "state" / name).unlink(missing_ok=True)
    (sim.root / "clipform.lock").unlink(missing_ok=True)
    (sim.root / "renders/hero.mp4").unlink(missing_ok=True)


def _edit_output(sim: Sim) -> None:
    output = sim.root / "renders/hero.mp4"
    if output.exists():
        output.unlink()
        output.write_bytes(b"cut by hand")
        sim.foreign["renders/hero.mp4"] = hashlib.sha256(b"cut by hand").hexdigest()
        sim.write(ONE.replace("a lamp", "a torch"))


_DEAR = HEAD.replace("0.50", "0.54") + "budget: {currency: USD, total: 1.07}\n"
_CLIPS = "clips:\n  hero: {prompt: a lamp}\n  intro: {prompt: a candle}\n  end: {prompt: a door}\n"
CHEAP = HEAD + "budget: {currency: USD, total: 1.20}\n" + _CLIPS
UNPRICED = CHEAP.replace(', prices: [{model: "*", per_clip: 0.50}]', "")

ANSWERED = "vendor.submit after"

BUGS: dict[str, Bug] = {
    "no intent": Bug(_no_intent, "I2", at=ANSWERED),
    "id at the end": Bug(_id_at_the_end, "I1", at=ANSWERED),
    "resubmit on unknown": Bug(_resubmit_on_unknown, "I1", {"submit": ["unknown-after"]}),
    "print before the record": Bug(_print_first, "order"),
    "receipt of the intent after the answer": Bug(_intent_after, "order"),
    "retry on 500": Bug(_again_on_500, "I1", {"submit": ["error-after"]}),
    "redirect on submit": Bug(_follow_redirects, "I1", {"submit": ["redirect-after"]}),
    "absence after 0 s": Bug(_absent_at_once, "I1", {"poll": ["not-found"]}),
    "late is failed": Bug(_late_is_failed, "I1", {"poll": ["*working"]}, between=lambda sim: sim.server.heal()),
    "receipts never read": Bug(_no_merge, "I1", between=_lose_database),
    "float money": Bug(_float_money, "I6", spec=_DEAR + _CLIPS, cap=1_070_000, micros=540_000),
    "a budget for plans only": Bug(_no_cap, "I6", spec=CHEAP, cap=1_200_000),
    "unpriced is free": Bug(_unpriced_is_free, "I6", spec=UNPRICED, cap=1_200_000),
    "rename without verification": Bug(_unverified, "I4", at="sync in bugs.place before"),
    "no check of the download": Bug(_unproven, "I4", {"fetch": ["short"]}),
    "overwrite what the user edited": Bug(_overwrite, "I16", between=_edit_output),
    "reference before data": Bug(_reference_first, "I5"),
    "raw errors": Bug(_traceback, "traceback"),
    "a dead link for ever": Bug(_again_for_ever, "I13", {"fetch": ["*dead"]}),
    "lost commits, receipts not synced": Bug(_skipping("receipts"), "I2", power="strict", lose=4, at=ANSWERED),
    "object renamed without sync": Bug(
        _skipping("store", folders=False), "I5", power="names", at="rename in store._rename after"
    ),
    "output renamed without sync": Bug(
        _skipping("place", folders=False), "I4", power="names", at="link in files.publish_new after"
    ),
    "no folder is synced": Bug(_skipping("", folders=True), "I2", power="strict", at=ANSWERED),
    "the state folder is not synced": Bug(_skipping("lock", folders=True), "I2", power="strict", at=ANSWERED),
}
