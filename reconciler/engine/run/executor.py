"""Carries out a plan: keeps going past failures and ends with an outcome for every step.

Free steps come first (move, then restore), so that they wait for no provider. Then what must be generated, in
dependency order and as concurrently as each provider allows. Files that are no longer declared are removed last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.artifacts.place import OutputContent, Placer
from reconciler.diagnostics import ClipformError
from reconciler.engine.attempt.context import Ports, RunTerms
from reconciler.engine.connections.providers import ConnectedProviders
from reconciler.engine.control import RunControl, StepEnded
from reconciler.engine.run.assembly import Assembler
from reconciler.engine.run.beside import place_beside, remove_beside
from reconciler.engine.run.lockfile_sync import LockfileAdopter, LockfileSaver
from reconciler.engine.run.makers import make
from reconciler.engine.run.records import RunRecords, binding_of
from reconciler.engine.run.restore import BATCH, Acts, end_of, restore
from reconciler.engine.run.scheduler import Ident, Scheduler
from reconciler.engine.run.signals import waited
from reconciler.engine.run.summary import summary_of
from reconciler.events import Event, EventKind, Outcome, Summary
from reconciler.next_command import command
from reconciler.plan.model import GENERATES, Action, Plan, Reason, Step
from reconciler.plan.remedies import reason_line
from reconciler.project.endpoints import ASKING
from reconciler.project.orders import Order
from reconciler.records import Artifact, LockEntry, Placed, State
from reconciler.state.paths import LOCK_FILE

if TYPE_CHECKING:
    from reconciler.engine.run.hand_over import HandOver
    from reconciler.engine.run.shared_cache import SharedCache


@dataclass(slots=True)
class Executor:
    """Carries out one plan. `orders` are by clip and take; `adopter` records what only the lock file knows, and `saver`
    writes it while results come."""

    ports: Ports
    placer: Placer
    providers: ConnectedProviders
    orders: Mapping[Ident, Order]
    records: RunRecords
    terms: RunTerms
    adopter: LockfileAdopter
    saver: LockfileSaver
    shared: SharedCache | None = None
    handed: HandOver | None = None  # what workers carry out
    control: RunControl = field(default_factory=RunControl)
    outcomes: dict[Ident, Outcome] = field(default_factory=dict)
    absent: Mapping[Ident, StepEnded] = field(default_factory=dict)  # what the shared cache did not give
    failed: bool = False

    def interrupt(self) -> None:
        """Start no more steps and end all waiting; open submits are still recorded before the run ends."""
        self.control.event.set()
        seconds, count = waited.get(), self.control.open
        if seconds is not None and count:
            requests = f"{count} open request{'' if count == 1 else 's'}"
            text = f"waiting up to {seconds:g} s for {requests} to be recorded; the next Ctrl-C ends at once"
            with suppress(Exception):  # only a message: recording the open requests matters more
                self._emit(Event(EventKind.NOTE, message=text))

    async def run(self, plan: Plan) -> Summary:
        """Carry out the plan. Raises nothing for the failure of a clip: that is in the outcomes."""
        began = self.ports.clock.monotonic()
        todo = [s for s in plan.steps if s.action not in (Action.NOOP, Action.BLOCKED)]
        self._emit(Event(EventKind.STARTED, total=len(todo), expected=plan.expected))
        for step in plan.blocked():
            self._end(step, EventKind.BLOCKED, reason_line(step.reason, step.detail), "\n".join(step.way_out))
        with self.ports.store.transaction():
            for step in plan.steps:
                if step.action is Action.NOOP:
                    self._record_unchanged(step)
        if self.handed is not None:
            await self.handed.hand_over(self.terms, self.shared)
        if self.shared is not None:
            self.absent = await self.shared.bring([step for step in todo if step.reason is Reason.CACHED])
        for step in todo:
            if step.action is Action.MOVE:
                self._attempt_free(step)
        stored = [step for step in todo if step.action is Action.RESTORE and not step.needs_a_maker]
        for start in range(0, len(stored), BATCH):
            self._restore(stored[start : start + BATCH])
        await self._generate([s for s in todo if s.action in ASKING | {Action.ASSEMBLE} or s.needs_a_maker])
        for step in todo:
            if step.action is Action.REMOVE:
                self._attempt_free(step)
        self._unbind(plan)
        return summary_of(self, plan, self.ports.clock.monotonic() - began)

    # --- steps that ask a provider -----------------------------------------------------------

    async def _generate(self, steps: list[Step]) -> None:
        declared = self.providers.by_alias
        limits = {alias: provider.pace.concurrency for alias, provider in declared.items()}
        limits |= dict.fromkeys(self.handed.aliases if self.handed is not None else (), len(steps))
        local = [alias for alias, provider in declared.items() if not provider.durable]
        scheduler = Scheduler(sorted(steps, key=self._urgency), limits, local)
        for event in scheduler.held():
            self._emit(event)
        running: dict[asyncio.Task[bool], Step] = {}
        finished: asyncio.Queue[asyncio.Task[bool]] = asyncio.Queue()  # `asyncio.wait` would look at all for each one
        try:
            while True:
                while not self._closing() and (step := scheduler.admit()) is not None:
                    running[task := asyncio.create_task(self._make(step))] = step
                    task.add_done_callback(finished.put_nowait)
                self.control.carry(len(running))
                if not running:
                    break
                for task in [await finished.get(), *(finished.get_nowait() for _ in range(finished.qsize()))]:
                    step = running.pop(task)
                    for skipped in scheduler.finish(step, succeeded=task.result()):
                        self._end(skipped, *(self._left(skipped) or self._reason_skipped(step)))
        finally:
            self.saver.close()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        why = self.control.end if self.control.event.is_set() else "stopped after a failure (--fail-fast)"
        for step in scheduler.unfinished():
            if step.ident not in self.outcomes:
                self._end(step, *(self._left(step) or (EventKind.SKIPPED, why)))

    def _urgency(self, step: Step) -> tuple[bool, float]:
        """Most perishable first: finished tasks, whose links expire, then the oldest, then plan order."""
        attempt = self.records.attempts.get(step.key) if step.action is Action.RESUME else None
        if attempt is None:
            return (True, float("inf"))
        return (attempt.state is not State.READY, attempt.created)

    def _closing(self) -> bool:
        return self.control.event.is_set() or (self.terms.fail_fast and self.failed)

    async def _make(self, step: Step) -> bool:
        """Make, place and bind one take. Returns True if it succeeded."""
        began = self.ports.clock.monotonic()
        try:
            if step.action is Action.RESTORE:
                self._place(step)
            elif step.action is Action.ASSEMBLE:
                self._require_path(step)
                step = await Assembler(self.ports, self.records, self.control).assemble(step)
                self._place(step)
            else:
                self._require_path(step)
                if text := await self._made(step):
                    free = replace(step, action=Action.RESTORE)
                    self._end(free, EventKind.SUCCEEDED, text, began=began)
                    return True
        except (StepEnded, ClipformError) as error:
            self._end(step, *end_of(error), began)
            return False
        finally:
            if self.shared is not None:
                await self.shared.release(step)
        self._end(step, EventKind.SUCCEEDED, began=began)
        return True

    async def _made(self, step: Step) -> str:
        """Make, place and bind one take. Returns why nothing was paid for it in this run; empty if it was."""
        video = await make(self, step)
        if video.line is not None:
            self._adopt(step, video.line)
            return video.free
        self._require_locked(step, video.sha256)
        self._fetched(step, video.sha256, video.artifact)
        if video.is_durable and not video.free and step.ident in self.records.bindings:
            line = self.saver.add(self.records.bindings[step.ident], self.records.artifacts[video.sha256])
            if self.shared is not None and line is not None:
                self.shared.send(line)
        return video.free

    def _left(self, step: Step) -> tuple[EventKind, str, str] | None:
        """Return how a step ends that workers carry out, and that this run does not wait for."""
        if self.handed is None or not self.handed.has(step) or not (self.terms.detach or self.control.event.is_set()):
            return None
        end = self.handed.left()
        return end.kind, end.message, end.help

    def _adopt(self, step: Step, line: LockEntry) -> None:
        """Record and place a result that was bought elsewhere."""
        self.saver.learn(line := replace(line, clip=step.clip, take=step.take, output=None))
        artifact = self.adopter.adopt(line, self.orders[step.ident].wanted.document, None)
        self.records.artifacts[line.sha256] = artifact
        self.records.sha256s[step.key] = line.sha256
        self._place(step)

    def _require_path(self, step: Step) -> None:
        """Check, before anything is paid for, that the result can be stored and placed.

        Raises ArtifactError if the store cannot be written or is full, if the lock file or the output's folder cannot
        be written, or if the output path goes through a symlink or a file.
        """
        if step.action not in GENERATES | {Action.ASSEMBLE}:
            return
        self.ports.objects.require_writable()
        provider = self.providers.by_alias.get(step.provider)
        if provider is not None and provider.durable:
            self.ports.objects.require_space(0)  # its size is not known yet
            self.placer.check(LOCK_FILE)
        if step.output is not None:
            self.placer.check(step.output)
            self._adopt_output(step.output, step.clip)

    def _require_locked(self, step: Step, sha256: str) -> None:
        """Raise StepEnded for another file than the lock file names, where it must be the very one: it stays stored."""
        line = self.adopter.locked.get(step.key) if self.terms.fetching else None
        if line is not None and line.sha256 != sha256:
            text = f"its task gave the file {sha256[:12]}, and {LOCK_FILE} names {line.sha256[:12]}; it is stored"
            raise StepEnded(EventKind.FAILED, text, f"{command('apply', step.clip)} uses it (free)")

    def _reason_skipped(self, step: Step) -> tuple[EventKind, str]:
        """Return the outcome of a clip that needs this step, and that this run therefore never starts."""
        result = self.outcomes[step.ident].result
        end = {EventKind.LEFT: "goes on at the provider", EventKind.SKIPPED: "is not made yet"}.get(result)
        return EventKind.SKIPPED, f"needs {step.name}, which {end or 'did not succeed'}"

    def _fetched(self, step: Step, sha256: str, artifact: Artifact | None) -> None:
        """Note and place an artifact that is durable: from here on, repeating is free."""
        artifact = artifact or self.ports.store.artifact(sha256)
        if artifact is not None:
            self.records.artifacts[sha256] = artifact
        self.records.sha256s[step.key] = sha256
        self.records.attempts[step.key] = self.ports.store.attempts(step.key)[-1]
        self._place(step)

    # --- free steps ---------------------------------------------------------------------------

    def _attempt_free(self, step: Step) -> None:
        began, message = self.ports.clock.monotonic(), ""
        try:
            if step.action is Action.REMOVE:
                message = self._remove(step)
            else:
                self._move(step)
        except (StepEnded, ClipformError) as error:
            self._end(step, *end_of(error), began)
        else:
            self._end(step, EventKind.SUCCEEDED, message, began=began)

    def _restore(self, steps: Sequence[Step]) -> None:
        """Place a batch of what is stored."""
        began, acts = self.ports.clock.monotonic(), Acts(self._ensure_recorded, self._put, self._record_output)
        ends = restore(steps, self.absent, self.ports.store, acts)
        for step in steps:
            self._end(step, *ends[step.ident], began)

    def _ensure_recorded(self, step: Step) -> str:
        """Return the SHA-256 of a step's artifact, adopted from the lock file where no record has it."""
        sha256 = step.sha256
        assert sha256 is not None
        if step.key not in self.records.sha256s:
            self.records.artifacts[sha256] = self.adopter.artifact(step)
            self.records.sha256s[step.key] = sha256
        return sha256

    def _place(self, step: Step) -> None:
        """Put the picked take at its output and bind it; any other take is only bound."""
        self._put(step)
        self._record_output(step)

    def _put(self, step: Step) -> None:
        """Put the picked take at its output."""
        if step.output is None:
            return
        self._adopt_output(step.output, step.clip)
        record = self.records.placed.get(step.output)
        self._save_last_copy(step.output)
        may_move = step.clip in self.terms.force or (record is None and self.adopter.is_rehearsal(step.output))
        if may_move and self.placer.find(step.output, record) is OutputContent.FOREIGN:
            aside = self.placer.set_aside(step.output)
            self._emit(Event(EventKind.NOTE, step.clip, message=f"{step.output} was moved aside to {aside}"))
            record = None
        artifact = self.records.artifacts[self.records.sha256s[step.key]]
        self.records.placed[step.output] = self.placer.place(step.output, artifact, record)

    def _record_output(self, step: Step) -> None:
        """Record what is at the output of a step now, and bind its take."""
        with self.ports.store.transaction():
            if step.output is not None:
                self.ports.store.desk.record_placed(self.records.placed[step.output], step.clip)
            self._bind(step)

    def _adopt_output(self, output: str, clip: str) -> None:
        """Record an output that only the lock file names: in a fresh clone no record says that clipform placed it."""
        adopted = None if output in self.records.placed else self.adopter.placed(output)
        if adopted is not None:
            record, artifact = adopted
            self.ports.store.desk.record_placed(record, clip)
            self.records.placed[output] = record
            self.records.artifacts[artifact.sha256] = artifact
            path = self.ports.objects.path(artifact.sha256, artifact.suffix).relative_to(self.ports.inputs.root)
            text = f"{output} was known from {LOCK_FILE} only; its content stays in {path}"
            self._emit(Event(EventKind.NOTE, clip, message=text))

    def _save_last_copy(self, output: str) -> None:
        """Copy an output into the store if the store lost it: it may be the last copy of what was paid for."""
        record = self.records.placed.get(output)
        artifact = None if record is None else self.records.artifacts.get(record.sha256)
        if record is None or artifact is None or self.ports.objects.has(artifact.sha256, artifact.suffix):
            return
        if self.placer.find(output, record) is OutputContent.OURS:
            self.ports.objects.add(self.ports.inputs.root / output, artifact.suffix)

    def _move(self, step: Step) -> None:
        old, new = step.previous_output or "", step.output or ""
        sha256 = self._ensure_recorded(step)
        record = self.records.placed.get(old) or Placed(old, sha256, 0, 0, 0)
        placed = self.placer.move(old, new, record)
        with self.ports.store.transaction():
            self.ports.store.desk.record_unplaced(old, step.clip)
            self.ports.store.desk.record_placed(placed, step.clip)
            self._bind(step)
        self.records.placed.pop(old, None)
        self.records.placed[new] = placed

    def _remove(self, step: Step) -> str:
        """Remove an output that clipform placed. Returns a message if it stays because the user edited it."""
        assert step.output is not None
        outcome = self.outcomes.get((step.clip, step.take))
        if outcome is not None and outcome.result is not EventKind.SUCCEEDED:
            raise StepEnded(EventKind.SKIPPED, "kept, because its replacement is not there yet")
        self._save_last_copy(step.output)
        record = self.records.placed.get(step.output)
        content = OutputContent.FOREIGN
        if record is not None and step.reason is not Reason.EDITED:
            content = self.placer.remove(step.output, record)
        remove_beside(step, self.ports, self.placer, self.records)
        self.ports.store.desk.record_unplaced(step.output, step.clip)
        self.records.placed.pop(step.output, None)
        return f"{step.output} was edited by hand and is left" if content is OutputContent.FOREIGN else ""

    def _bind(self, step: Step) -> None:
        """Bind the take to its key, and close the attempt that made it."""
        place_beside(step, self.ports, self.placer, self.records)
        attempt = self.records.attempts.get(step.key)
        if attempt is not None and attempt.state is State.FETCHED:
            self.records.attempts[step.key] = self.ports.store.move(attempt, State.DONE)
        binding = binding_of(step, self.orders.get(step.ident))
        if binding is not None and self.records.bindings.get(step.ident) != binding:
            self.ports.store.desk.bind(binding)
            self.records.bindings[step.ident] = binding

    def _unbind(self, plan: Plan) -> None:
        """Delete the bindings of undeclared clips, last of all: after a crash, the removal is planned again."""
        with self.ports.store.transaction():
            not_removed = {
                (step.clip, step.take)
                for step in plan.steps
                if step.action is Action.REMOVE and self.outcomes[step.ident].result is not EventKind.SUCCEEDED
            }
            for ident in plan.unbind:
                if ident not in not_removed:
                    self.ports.store.desk.unbind(*ident)

    def _record_unchanged(self, step: Step) -> None:
        """Write what changes on record only, for a take that is up to date."""
        if step.sha256 is None:
            return  # the file is on another machine and is not needed here
        sha256 = self._ensure_recorded(step)
        if step.output is not None:
            self._save_last_copy(step.output)
        self._bind(step)
        placed = self.records.placed.get(step.output or "")
        if step.output is not None and (placed is None or placed.sha256 != sha256):  # another: git brought this one
            record = self.placer.record(step.output, sha256)
            if record is not None:
                self.ports.store.desk.record_placed(record, step.clip)
                self.records.placed[step.output] = record

    def _end(self, step: Step, kind: EventKind, message: str = "", help: str = "", began: float | None = None) -> None:
        elapsed = 0.0 if began is None else self.ports.clock.monotonic() - began
        paid = step.cost.amount if kind is EventKind.SUCCEEDED and step.action in GENERATES else None
        name = step.action.value
        self.failed = self.failed or kind is EventKind.FAILED
        self.outcomes[step.ident] = Outcome(
            step.clip, step.take, name, kind, message, help, step.output, elapsed, paid, step.takes
        )
        event = Event(kind, step.clip, step.take, name, message, help, step.output, takes=step.takes)
        self._emit(replace(event, elapsed=elapsed if step.action in ASKING else None, cost=paid))

    def _emit(self, event: Event) -> None:
        self.ports.sink.emit(event)
