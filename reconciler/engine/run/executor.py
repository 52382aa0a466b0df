"""One run: carries out a plan, keeps going past what fails, and ends with an outcome for every step.

Free steps come first (move, then restore), so that nothing waits for a provider that need not. Then what must be made,
in dependency order and as much side by side as each provider allows. Files that nobody wants go last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from reconciler.artifacts.place import OutputContent, Placer
from reconciler.diagnostics import ClipformError
from reconciler.engine.attempt.context import AttemptContext, Ports, RunTerms
from reconciler.engine.attempt.runner import AttemptRunner
from reconciler.engine.connections.providers import ConnectedProviders
from reconciler.engine.control import RunControl, StepEnded
from reconciler.engine.run.lockfile_sync import LockfileAdopter
from reconciler.engine.run.scheduler import Ident, Scheduler
from reconciler.engine.run.signals import waited
from reconciler.events import Event, EventKind, Outcome, Summary
from reconciler.plan import cost
from reconciler.plan.model import GENERATES, Action, Cost, Plan, Reason, Step
from reconciler.plan.remedies import reason_line
from reconciler.project.endpoints import ASKING
from reconciler.project.orders import Order
from reconciler.project.workspace import LOCK_FILE
from reconciler.records import Artifact, Attempt, Binding, Placed, Snapshot, State, from_micros


@dataclass(slots=True)
class RunRecords:
    """What the run knows and learns: records as they were at the plan, and what has been added since."""

    artifacts: dict[str, Artifact]
    at_hand: dict[str, str]  # SHA-256 by key, of what the records know
    placed: dict[str, Placed]
    bindings: dict[Ident, Binding]
    attempts: dict[str, Attempt]  # the newest of each key

    @classmethod
    def of(cls, snapshot: Snapshot) -> RunRecords:
        """The world at the start of a run."""
        at_hand = {key: made.sha256 for key, made in snapshot.generations.items()}
        return cls(
            dict(snapshot.artifacts),
            at_hand,
            dict(snapshot.placed),
            dict(snapshot.bindings),
            dict(snapshot.attempts),
        )


@dataclass(slots=True)
class Rules:
    """How this run goes. `force` names the clips whose foreign outputs are moved aside."""

    terms: RunTerms = field(default_factory=RunTerms)
    fail_fast: bool = False
    force: frozenset[str] = frozenset()


class Executor:
    """Carries out one plan. `adopter` makes known what only the lock file knew."""

    def __init__(  # noqa: PLR0913  # the wiring of a run, done in one place
        self,
        ports: Ports,
        placer: Placer,
        vendors: ConnectedProviders,
        orders: Mapping[Ident, Order],
        world: RunRecords,
        rules: Rules,
        adopter: LockfileAdopter,
    ) -> None:
        self.ports, self.placer, self.vendors = ports, placer, vendors
        self.orders, self.world, self.rules, self.adopter = orders, world, rules, adopter
        self.halt = RunControl()
        self.outcomes: dict[Ident, Outcome] = {}
        self.began = ports.clock.monotonic()
        self.failed = False

    def interrupt(self) -> None:
        """The first Ctrl-C: admit nothing more, wake whoever waits; open submits are recorded before the run ends."""
        self.halt.event.set()
        seconds, count = waited.get(), self.halt.open
        if seconds is not None and count:
            requests = f"{count} open request{'' if count == 1 else 's'}"
            text = f"waiting up to {seconds:g} s for {requests} to be recorded; the next Ctrl-C ends at once"
            with suppress(Exception):  # words only: the answer that is waited for counts
                self._emit(Event(EventKind.NOTE, message=text))

    async def run(self, plan: Plan) -> Summary:
        """Do it. Raises nothing for what goes wrong with single clips: that is in the outcomes."""
        todo = [s for s in plan.steps if s.action not in (Action.NOOP, Action.BLOCKED)]
        self._emit(Event(EventKind.STARTED, total=len(todo)))
        self._note_blocked(plan)
        self._bookkeeping(plan)
        for action in (Action.MOVE, Action.RESTORE):
            for step in todo:
                if step.action is action and not step.needs_a_maker:
                    self._attempt_free(step)
        await self._generate([s for s in todo if s.action in ASKING or s.needs_a_maker])
        for step in todo:
            if step.action is Action.REMOVE:
                self._attempt_free(step)
        self._forget(plan)
        return self._summary(plan)

    # --- what must be made ------------------------------------------------------------------

    async def _generate(self, steps: list[Step]) -> None:
        declared = self.vendors.by_alias
        limits = {alias: vendor.pace.concurrency for alias, vendor in declared.items()}
        local = [alias for alias, vendor in declared.items() if not vendor.durable]
        pool = Scheduler(sorted(steps, key=self._urgency), limits, local)
        running: dict[asyncio.Task[bool], Step] = {}
        try:
            while True:
                while not self._closing() and (step := pool.admit()) is not None:
                    running[asyncio.create_task(self._one(step))] = step
                self.halt.carry(len(running))
                if not running:
                    break
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    step = running.pop(task)
                    for lost in pool.finish(step, succeeded=task.result()):
                        self._end(lost, *self._why_not(step))
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        why = "interrupted" if self.halt.event.is_set() else "stopped after a failure (--fail-fast)"
        for step in pool.rest():
            if step.ident not in self.outcomes:
                self._end(step, EventKind.SKIPPED, why)

    def _urgency(self, step: Step) -> tuple[bool, float]:
        """What may be lost first goes first: finished tasks, whose links expire, then the oldest; then plan order."""
        attempt = self.world.attempts.get(step.key) if step.action is Action.RESUME else None
        if attempt is None:
            return (True, float("inf"))
        return (attempt.state is not State.READY, attempt.created)

    def _closing(self) -> bool:
        return self.halt.event.is_set() or (self.rules.fail_fast and self.failed)

    async def _one(self, step: Step) -> bool:
        """Make, place and bind one take; whether it succeeded."""
        began = self.ports.clock.monotonic()
        try:
            if step.action is Action.RESTORE:
                self._place(step, self.world.at_hand[step.key])
            else:
                self._require_way(step)
                maker = self._maker(step)
                sha = await maker.make()
                self._arrived(step, sha, maker.work.made)
        except StepEnded as end:
            self._end(step, end.kind, end.message, end.help, began)
            return False
        except ClipformError as error:
            self._end(step, EventKind.FAILED, error.message, error.help, began)
            return False
        self._end(step, EventKind.SUCCEEDED, began=began)
        return True

    def _require_way(self, step: Step) -> None:
        """Before anything is paid for: ArtifactError if the store cannot be written or has no room to bring it home, if
        the lock file or the output's folder cannot be written, or if the way there leads through a link or a file."""
        if step.action not in GENERATES:
            return
        self.ports.objects.require_writable()
        vendor = self.vendors.by_alias.get(step.provider)
        if vendor is not None and vendor.durable:
            self.ports.objects.require_space(0)  # how large it will be, nobody knows yet
            self.placer.check(LOCK_FILE)
        if step.output is not None:
            self.placer.check(step.output)
            self._recognise(step.output, step.clip)

    def _why_not(self, step: Step) -> tuple[EventKind, str]:
        """Why a clip that needs this one is not made: one that goes on elsewhere is no failure."""
        if self.outcomes[step.ident].result is EventKind.LEFT:
            return EventKind.LEFT, f"waits for {step.name}, which goes on at the provider"
        return EventKind.SKIPPED, f"needs {step.name}, which did not succeed"

    def _maker(self, step: Step) -> AttemptRunner:
        try:
            vendor = self.vendors.of(step.provider, step.key)
        except ClipformError as error:
            raise StepEnded(EventKind.BLOCKED, error.message, error.help) from error
        now = self.ports.clock.monotonic()
        order = self.orders.get(step.ident)
        return AttemptRunner(AttemptContext(self.ports, self.rules.terms, self.halt, step, vendor, order, began=now))

    def _arrived(self, step: Step, sha: str, made: Artifact | None) -> None:
        """The artifact is durable: everything from here on is free to repeat."""
        if made is not None:
            self.world.artifacts[sha] = made
        self.world.at_hand[step.key] = sha
        self.world.attempts[step.key] = self.ports.store.attempts(step.key)[-1]
        self._place(step, sha)

    # --- what is free -----------------------------------------------------------------------

    def _attempt_free(self, step: Step) -> None:
        began = self.ports.clock.monotonic()
        message = ""
        try:
            match step.action:
                case Action.REMOVE:
                    message = self._remove(step)
                case Action.MOVE:
                    self._move(step)
                case _:
                    self._place(step, self._known(step))
        except StepEnded as end:
            self._end(step, end.kind, end.message, end.help, began)
        except ClipformError as error:
            self._end(step, EventKind.FAILED, error.message, error.help, began)
        else:
            self._end(step, EventKind.SUCCEEDED, message, began=began)

    def _known(self, step: Step) -> str:
        sha = step.sha256
        assert sha is not None
        if step.key not in self.world.at_hand:
            self.world.artifacts[sha] = self.adopter.artifact(step)
            self.world.at_hand[step.key] = sha
        return sha

    def _place(self, step: Step, sha: str) -> None:
        """Put the picked take at its output; any other take is only bound."""
        if step.output is not None:
            self._recognise(step.output, step.clip)
            record = self.world.placed.get(step.output)
            self._rescue(step.output)
            if step.clip in self.rules.force and self.placer.find(step.output, record) is OutputContent.FOREIGN:
                aside = self.placer.set_aside(step.output)
                self._emit(Event(EventKind.NOTE, step.clip, message=f"{step.output} was moved aside to {aside}"))
                record = None
            placed = self.placer.place(step.output, self.world.artifacts[sha], record)
            with self.ports.store.transaction():  # one commit: ten thousand restores are mostly commits
                self.ports.store.record_placed(placed, step.clip)
                self._hold(step)
            self.world.placed[step.output] = placed
        else:
            self._hold(step)

    def _recognise(self, output: str, clip: str) -> None:
        """In a fresh clone no record says that we placed a file, and the lock file may know that it is ours."""
        found = None if output in self.world.placed else self.adopter.placed(output)
        if found is not None:
            record, artifact = found
            self.ports.store.record_placed(record, clip)
            self.world.placed[output] = record
            self.world.artifacts[artifact.sha256] = artifact

    def _rescue(self, output: str) -> None:
        """What we placed may be the last copy of what was paid for: back into the store before it is replaced."""
        record = self.world.placed.get(output)
        artifact = None if record is None else self.world.artifacts.get(record.sha256)
        if record is None or artifact is None or self.ports.objects.has(artifact.sha256, artifact.suffix):
            return
        if self.placer.find(output, record) is OutputContent.OURS:
            self.ports.objects.add(self.ports.inputs.root / output, artifact.suffix)

    def _move(self, step: Step) -> None:
        assert step.output is not None and step.previous_output is not None
        placed = self.placer.move(step.previous_output, step.output, self.world.placed[step.previous_output])
        with self.ports.store.transaction():
            self.ports.store.record_unplaced(step.previous_output, step.clip)
            self.ports.store.record_placed(placed, step.clip)
            self._hold(step)
        del self.world.placed[step.previous_output]
        self.world.placed[step.output] = placed

    def _remove(self, step: Step) -> str:
        """Remove what we placed; in words what was not removed, because the user edited it."""
        assert step.output is not None
        own = self.outcomes.get((step.clip, step.take))
        if own is not None and own.result is not EventKind.SUCCEEDED:
            raise StepEnded(EventKind.SKIPPED, "kept, because what replaces it is not there yet")
        self._rescue(step.output)
        record = self.world.placed.get(step.output)
        if step.reason is Reason.EDITED or record is None:
            found = OutputContent.FOREIGN
        else:
            found = self.placer.remove(step.output, record)
        self.ports.store.record_unplaced(step.output, step.clip)
        self.world.placed.pop(step.output, None)
        return f"{step.output} was edited by hand and is left" if found is OutputContent.FOREIGN else ""

    def _hold(self, step: Step) -> None:
        """The take now holds its key: bind it, and close the attempt that made it."""
        attempt = self.world.attempts.get(step.key)
        if attempt is not None and attempt.state is State.FETCHED:
            self.world.attempts[step.key] = self.ports.store.move(attempt, State.DONE)
        order = self.orders.get(step.ident)
        if order is None:
            return
        wanted = order.wanted
        binding = Binding(wanted.clip, wanted.take, wanted.key, wanted.output, wanted.document)
        if self.world.bindings.get(step.ident) != binding:
            self.ports.store.bind(binding)
            self.world.bindings[step.ident] = binding

    def _bookkeeping(self, plan: Plan) -> None:
        """What changes on record only, for takes that are up to date already."""
        with self.ports.store.transaction():
            for step in plan.steps:
                if step.action is Action.NOOP:
                    self._settle(step)

    def _forget(self, plan: Plan) -> None:
        """Bindings of clips that are gone, last of all: a crash before this keeps their removal planned."""
        with self.ports.store.transaction():
            kept = {
                (step.clip, step.take)
                for step in plan.steps
                if step.action is Action.REMOVE and self.outcomes[step.ident].result is not EventKind.SUCCEEDED
            }
            for ident in plan.unbind:
                if ident not in kept:
                    self.ports.store.unbind(*ident)

    def _settle(self, step: Step) -> None:
        if step.sha256 is None:
            return  # it is elsewhere, and nothing here needs it
        sha = self._known(step)
        if step.output is not None:
            self._rescue(step.output)
        self._hold(step)
        if step.output is not None and step.output not in self.world.placed:
            record = self.placer.record(step.output, sha)
            if record is not None:
                self.ports.store.record_placed(record, step.clip)
                self.world.placed[step.output] = record

    # --- ends -------------------------------------------------------------------------------

    def _note_blocked(self, plan: Plan) -> None:
        for step in plan.blocked():
            self._end(step, EventKind.BLOCKED, reason_line(step.reason, step.detail), "\n".join(step.way_out))

    def _end(self, step: Step, kind: EventKind, message: str = "", help: str = "", began: float | None = None) -> None:
        elapsed = 0.0 if began is None else self.ports.clock.monotonic() - began
        paid = step.cost.amount if kind is EventKind.SUCCEEDED and step.action in GENERATES else None
        name = step.action.value
        self.failed = self.failed or kind is EventKind.FAILED
        self.outcomes[step.ident] = Outcome(step.clip, step.take, name, kind, message, help, step.output, elapsed, paid)
        shown = elapsed if step.action in ASKING else None
        event = Event(kind, step.clip, step.take, name, message, help, step.output, elapsed=shown, cost=paid)
        self._emit(event)

    def _emit(self, event: Event) -> None:
        self.ports.sink.emit(event)

    def _summary(self, plan: Plan) -> Summary:
        elapsed = self.ports.clock.monotonic() - self.began
        found = tuple(self.outcomes.values())
        run = self.rules.terms.run
        micros = sum(sums.micros for sums in self.ports.store.spent(run).values()) if run else 0
        spent = from_micros(micros)  # of this run: what an earlier one bought is not counted again
        unpriced = self.ports.store.unpriced(run) if run else 0
        saved, unknown = cost.saved(self._at_hand(plan))
        return Summary(found, self.halt.event.is_set(), elapsed, spent, unpriced, plan.currency, saved, unknown)

    def _at_hand(self, plan: Plan) -> Iterator[Cost]:
        """The prices of the takes that have their picture without a request of this run."""
        for step in plan.steps:
            end, order = self.outcomes.get(step.ident), self.orders.get(step.ident)
            has = step.action is Action.NOOP or (end is not None and end.result is EventKind.SUCCEEDED)
            if has and step.action in cost.AT_HAND and order is not None:
                yield order.wanted.cost
