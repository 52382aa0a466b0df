"""Random user sessions: edits, applies that die, lost and restored states, failing vendors, answers to questions.

A rule-based state machine: hypothesis draws the commands and shrinks a broken promise to a short story. The model is
the vendor's ledger and the consents that the user gave; the judge runs after every command.
"""

from __future__ import annotations

import errno
import hashlib
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from itertools import count

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from reconciler.diagnostics import ClipformError, StateDamaged, StateError, StateLocked, UsageError
from reconciler.engine.connections import one_off
from reconciler.engine.operations import adopt_task, edit_spec, gc, recover, resolve
from reconciler.engine.operations import cancel as cancel_module
from reconciler.engine.operations import destroy as destroy_module
from reconciler.engine.operations import gc as gc_module
from reconciler.engine.operations import verify as care
from reconciler.engine.run.session import open_session
from reconciler.project.model import Choice
from reconciler.records import Attempt
from reconciler.state.lock import Lock
from tests.reliability.figures import Tally
from tests.reliability.simulator import checker
from tests.reliability.simulator.sim import HEAD
from tests.reliability.simulator.vendor import FETCHES, POLLS, SUBMITS
from tests.reliability.sweeps import fresh

NAMES = ("a", "b", "c")
names = st.sampled_from(NAMES)
prompts = st.sampled_from(("a lamp", "a candle", "a door"))
points = st.integers(1, 140)
maybe = st.one_of(st.none(), points)
JUMPS = (-3600.0, 3600.0, 90_000.0, 8 * 86_400.0)


class Commands(RuleBasedStateMachine):
    """One project, from its first clip to rest."""

    tally = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.sim = self.stack.enter_context(fresh())
        self.sim.consents = Counter()
        self.clips: dict[str, tuple[str, int]] = {"a": ("a lamp", 0)}
        self.takes: dict[str, int] = {}  # the take that is picked, of clips that have two
        self.markers = count(1)
        self.old: bytes | None = None
        self._save()

    def _save(self) -> None:
        picked = {name: f", takes: 2, pick: {number}" for name, number in self.takes.items()}
        clips = (
            f"  {name}: {{prompt: {prompt}, retake: {take}{picked.get(name, '')}}}\n"
            for name, (prompt, take) in self.clips.items()
        )
        self.sim.write(HEAD + "clips:\n" + "".join(clips))

    def _run(self, at: int | None = None, fails: dict[int, int] | None = None, **asked: object) -> None:
        self.sim.clock.limit = self.sim.clock.time + 30 * 86_400.0
        wire = self.sim.dies(at, lambda: self.sim.apply(**asked), fails=fails or {})  # type: ignore[arg-type]
        self.tally.injected += wire.dead + wire.failed
        self.sim.unmerged = self.sim.unmerged and "store.merge after" not in wire.names

    def _kill(self, at: int | None, command: Callable[[], object]) -> bool:
        """Another command, which may die at a point too; whether it came to its end."""
        self.sim.clock.limit = self.sim.clock.time + 30 * 86_400.0
        wire = self.sim.dies(at, command, fails={})
        self.tally.injected += wire.dead
        self.sim.unmerged = self.sim.unmerged and "store.merge after" not in wire.names
        return not wire.dead

    # --- what a user edits ------------------------------------------------------------------

    @rule(name=names, prompt=prompts)
    def edit(self, name: str, prompt: str) -> None:
        """A new clip, or another prompt."""
        self.clips[name] = (prompt, self.clips.get(name, ("", 0))[1])
        self._save()

    @precondition(lambda self: self.clips)
    @rule(data=st.data(), to=names)
    def rename(self, data: st.DataObject, to: str) -> None:
        """The same clip by another name; one of that name is gone."""
        name = data.draw(st.sampled_from(sorted(self.clips)))
        self.clips[to] = self.clips.pop(name)
        self._save()

    @precondition(lambda self: len(self.clips) > 1)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        """A clip that nobody wants any more."""
        del self.clips[data.draw(st.sampled_from(sorted(self.clips)))]
        self._save()

    @precondition(lambda self: self.clips)
    @rule(data=st.data())
    def retake(self, data: st.DataObject) -> None:
        """Another variation, by the command."""
        name = data.draw(st.sampled_from(sorted(self.clips)))
        edit = edit_spec.retake(self.sim.workspace, name)
        self.clips[name] = (self.clips[name][0], edit.value)

    @precondition(lambda self: self.clips)
    @rule(data=st.data(), number=st.sampled_from((1, 2)))
    def two_takes(self, data: st.DataObject, number: int) -> None:
        """A clip has two takes from now on."""
        self.takes[data.draw(st.sampled_from(sorted(self.clips)))] = number
        self._save()

    @precondition(lambda self: self.takes.keys() & self.clips.keys())
    @rule(data=st.data(), number=st.sampled_from((1, 2)))
    def pick(self, data: st.DataObject, number: int) -> None:
        """The other take, by the command."""
        name = data.draw(st.sampled_from(sorted(self.takes.keys() & self.clips.keys())))
        edit_spec.pick(self.sim.workspace, name, number)
        self.takes[name] = number

    @rule(name=names)
    def delete_output(self, name: str) -> None:
        """The user deletes a video."""
        (self.sim.root / f"renders/{name}.mp4").unlink(missing_ok=True)
        self.sim.foreign.pop(f"renders/{name}.mp4", None)

    @rule(name=names, text=st.sampled_from((b"cut by hand", b"graded by hand")))
    def edit_output(self, name: str, text: bytes) -> None:
        """The user puts a file of theirs where a video is, or will be."""
        output = f"renders/{name}.mp4"
        path = self.sim.root / output
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)  # never through a link to the store
        path.write_bytes(text)
        self.sim.foreign[output] = hashlib.sha256(text).hexdigest()

    # --- runs -------------------------------------------------------------------------------

    @rule()
    def apply(self) -> None:
        """To the end."""
        self._run()

    @rule()
    def apply_detached(self) -> None:
        """Submit, and leave the tasks at the vendor."""
        self._run(detach=True)

    @rule(at=points)
    def apply_killed(self, at: int) -> None:
        """A process that dies on the way."""
        self._run(at)

    @rule(at=points, number=st.sampled_from((errno.ENOSPC, errno.EIO)))
    def apply_on_a_bad_disk(self, at: int, number: int) -> None:
        """A disk that refuses once."""
        self._run(None, {at: number})

    @rule()
    def second_apply(self) -> None:
        """While another process holds the state: nothing is sent, nothing is written."""
        (self.sim.root / "state").mkdir(exist_ok=True)
        with Lock(self.sim.root / "state", "apply", self.sim.clock.now):
            calls, before = len(self.sim.server.calls), checker.picture(self.sim.root)
            try:
                self.sim.apply()
            except StateLocked:
                pass
            else:
                raise AssertionError("I11: two processes wrote")
            assert (calls, before) == (len(self.sim.server.calls), checker.picture(self.sim.root)), "I11: it acted"

    @rule(at=maybe)
    def gc(self, at: int | None) -> None:
        """What nobody holds is deleted; an older state would name it, so there is none to go back to."""

        def collect() -> None:
            with open_session(self.sim.workspace, "gc") as opened:
                items = gc_module.unreferenced_objects(opened, opened.store.snapshot())
                self.sim.deleted |= {item.sha256 for item in items}
                gc.delete_objects(opened, items)

        self._kill(at, collect)
        self.old = None

    @rule(at=maybe, name=st.sampled_from((*NAMES, None)))
    def destroy(self, at: int | None, name: str | None) -> None:
        """The outputs of one clip, or of all, go; what was made is kept."""
        chosen = Choice() if name is None else Choice(clips=(name,))

        def remove() -> None:
            with open_session(self.sim.workspace, "destroy") as opened:
                destroy_module.destroy(opened, chosen, lambda plan: None, self.sim.notes, self.sim.connect)

        self._kill(at, remove)

    @rule(at=maybe)
    def recover(self, at: int | None) -> None:
        """All that the receipts, the lock file, the store and the outputs know."""
        self._kill(at, self._recover)

    def _recover(self) -> None:
        recover.recover(self.sim.workspace, lambda: f"recovered-{next(self.markers)}", self.sim.notes, self.sim.connect)

    @rule()
    def verify(self) -> None:
        """Everything is read again; nothing is written, and what is in the store is sound."""
        before = checker.picture(self.sim.root)
        with suppress(StateError):  # there is none, or it is damaged, or a dead writer left half a transaction
            found = [item for item in care.verify(self.sim.workspace, draft=False) if item.detail == "damaged"]
            assert not found, found
            assert checker.picture(self.sim.root).keys() == before.keys(), "I10: verify wrote"

    # --- the world --------------------------------------------------------------------------

    @rule()
    def remember_state(self) -> None:
        """A backup of the database."""
        path = self.sim.root / "state/clipform.db"
        self.old = path.read_bytes() if path.exists() else None

    @precondition(lambda self: self.old is not None)
    @rule()
    def restore_state(self) -> None:
        """The backup is put back: it knows nothing of what came after."""
        assert self.old is not None
        (self.sim.root / "state/clipform.db-journal").unlink(missing_ok=True)
        (self.sim.root / "state/clipform.db").write_bytes(self.old)
        self.sim.unmerged = True

    @rule()
    def lose_state(self) -> None:
        """The database is gone, the receipts are not."""
        for name in ("clipform.db", "clipform.db-journal"):
            (self.sim.root / "state" / name).unlink(missing_ok=True)
        self.sim.unmerged = True

    @rule()
    def damage_state(self) -> None:
        """A page of the database is lost."""
        path = self.sim.root / "state/clipform.db"
        if path.exists():
            (self.sim.root / "state/clipform.db-journal").unlink(missing_ok=True)
            path.write_bytes(bytes(4096) + path.read_bytes()[4096:])
            self.old, self.sim.unmerged = None, True

    @rule(seconds=st.sampled_from(JUMPS))
    def clock_jumps(self, seconds: float) -> None:
        """A laptop sleeps, or its clock is set."""
        self.sim.clock.time += seconds

    @rule(name=names, phase=st.sampled_from(("submit", "poll", "fetch")), data=st.data())
    def vendor_turns_faulty(self, name: str, phase: str, data: st.DataObject) -> None:
        """One or two odd answers."""
        words = {"submit": [w for w in SUBMITS if w != "twin"], "poll": POLLS, "fetch": FETCHES}[phase]
        answers = data.draw(st.lists(st.sampled_from(words), min_size=1, max_size=2))
        self.sim.server.plan(name, **{phase: answers})  # type: ignore[arg-type]
        self.tally.injected += len(answers)

    @rule()
    def vendor_is_well(self) -> None:
        """From now on."""
        self.sim.server.heal()

    # --- answers to questions ---------------------------------------------------------------

    def _settle(self, name: str, how: object) -> None:
        try:
            with open_session(self.sim.workspace, "resolve") as opened:
                self.sim.unmerged = False
                attempt = resolve.unresolved_attempt(opened, name, None)
                how(opened, attempt)  # type: ignore[operator]
        except (UsageError, StateDamaged):
            pass  # nothing of that clip waits, or nobody can tell

    @rule(name=names)
    def resolve_again(self, name: str) -> None:
        """Pay once more."""

        def again(opened: object, attempt: Attempt) -> None:
            resolve.allow_again(opened, attempt)  # type: ignore[arg-type]
            assert self.sim.consents is not None
            self.sim.consents[attempt.key] += 1

        self._settle(name, again)

    @rule(name=names)
    def resolve_give_up(self, name: str) -> None:
        """Neither wait nor pay."""
        self._settle(name, resolve.abandon)

    @rule(name=names)
    def resolve_by_task(self, name: str) -> None:
        """The user found the task in the vendor's console."""

        def adopt(opened: object, attempt: Attempt) -> None:
            ids = [task.id for task in self.sim.server.ledger.values() if task.marker == attempt.marker]
            remote = one_off.ProviderAccess(self.sim.workspace.load(), self.sim.connect)  # type: ignore[arg-type]
            for task in ids:
                adopt_task.adopt_task(opened, attempt, task, remote)  # type: ignore[arg-type]

        with suppress(ClipformError):  # only an uncertain one takes an id, and only if the vendor says that it knows it
            self._settle(name, adopt)

    @rule(name=names)
    def cancel(self, name: str) -> None:
        """A task that may be queued still."""
        with suppress(ClipformError), open_session(self.sim.workspace, "cancel") as opened:
            self.sim.unmerged = False
            remote = one_off.ProviderAccess(self.sim.workspace.load(), self.sim.connect)  # type: ignore[arg-type]
            cancel_module.cancel(opened, name, None, remote)  # fails when nothing is in flight, or when it is too late

    # --- judging ----------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        """Count."""
        self.tally.scenarios["h · commands at random"] += 1

    @invariant()
    def nothing_is_broken(self) -> None:
        """After every command."""
        self.sim.safe()

    def teardown(self) -> None:
        """Calm: all that was bought is here, or somebody was asked; and nothing is left to do."""
        try:
            self.sim.clock.limit = self.sim.clock.time + 90 * 86_400.0
            if checker.World(self.sim.root).damaged:
                self._recover()
            self.sim.rest(limit=8)
            asking = any(row["state"] == "uncertain" for row in checker.World(self.sim.root).rows("attempt"))
            self.tally.asking += asking
            self.tally.itself += not asking
        finally:
            self.stack.close()


def play(tally: Tally, first: int, examples: int, steps: int = 20) -> None:
    """So many stories from a seed. A broken promise is a line of the tally, with the shortest story found."""
    machine = seed(first)(type("Seeded", (Commands,), {"tally": tally}))
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    try:
        run_state_machine_as_test(machine, settings=profile)
    except Exception as error:  # noqa: BLE001  # whatever ends a story early is a finding
        found = error.args[0] if error.args and isinstance(error.args[0], list) else [f"commands: {error!r}"]
        notes = "\n".join(getattr(error, "__notes__", ())).splitlines()
        story = "; ".join(line.partition("state.")[2] for line in notes if "state." in line)
        tally.broken += [f"{text} [h · commands: seed {first}: {story}]" for text in found]
