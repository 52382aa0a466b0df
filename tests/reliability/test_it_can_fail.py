"""A judge that never finds anything is no judge: known wrong protocols are put in, and each must be caught."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.artifacts import store as objects
from reconciler.artifacts.place import Placer
from reconciler.engine import session
from reconciler.records import Attempt, Placed, State
from reconciler.state.budget import Caps, NewAttempt
from reconciler.state.receipts import Receipts
from reconciler.state.store import Facts, Store
from tests.reliability import checker
from tests.reliability.sim import Sim


def _no_intent(patch: pytest.MonkeyPatch) -> None:
    """The request goes out first and is written down with its answer; a death in between forgets it."""
    waiting: dict[str, tuple[NewAttempt, Caps | None]] = {}

    class Late(session.Store):  # type: ignore[misc,name-defined]  # the class with points
        def begin(self, new: NewAttempt, caps: Caps | None = None) -> Attempt:
            waiting[new.marker] = (new, caps)
            return Attempt(
                0,
                new.key,
                new.clip,
                new.take,
                new.provider,
                new.kind,
                new.model,
                State.SUBMITTING,
                new.marker,
                0.0,
                0.0,
            )

        def move(self, attempt: Attempt, to: State, facts: Facts | None = None) -> Attempt:
            if attempt.marker in waiting:
                attempt = super().begin(*waiting.pop(attempt.marker))
            return super().move(attempt, to, facts)

    patch.setattr(session, "Store", Late)
    patch.setattr(Receipts, "intent", lambda self, attempt: None)


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

    def fetched(self: Store, *args: object) -> Attempt:
        found = Store.fetched(self, *args)  # type: ignore[arg-type]
        objects.disk.sync(0)
        pending.pop()()
        return found

    @contextmanager
    def kept(self: objects.Objects, name: str) -> Iterator[objects.Part]:
        stack = real_part(self, name)
        yield stack.__enter__()  # left open: the late commit needs it

    real_part = objects.Objects.part
    patch.setattr(objects.Part, "commit", commit)
    patch.setattr(objects.Objects, "part", kept)
    patch.setattr(Hasty, "fetched", fetched)
    patch.setattr(session, "Store", Hasty)


BUGS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str, dict[str, list[str]]]] = {
    "no intent": (_no_intent, "I2", {}),
    "id at the end": (_id_at_the_end, "I1", {}),
    "resubmit on unknown": (_resubmit_on_unknown, "I1", {"submit": ["unknown-after"]}),
    "rename without verification": (_unverified, "I4", {}),
    "reference before data": (_reference_first, "I5", {}),
}


@pytest.mark.parametrize("name", BUGS)
def test_a_wrong_protocol_is_caught(name: str, sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, breaks, script = BUGS[name]
    sim.server.plan("hero", **script)
    plant(monkeypatch)
    sim.save()
    found: set[str] = set()
    for k in range(1, 200):
        sim.load()
        wire = sim.dies(k)
        found |= {text.partition(":")[0] for text in _judged(sim)}
        sim.apply()
        found |= {text.partition(":")[0] for text in _judged(sim)}
        if breaks in found or not wire.dead:
            break
    assert breaks in found


def _judged(sim: Sim) -> list[str]:
    served = {sha for task in sim.server.ledger for sha in sim.server.sound(task)}
    output = "renders/hero.mp4"
    return checker.safety(checker.World(Path(sim.root)), sim.server, {output: served})
