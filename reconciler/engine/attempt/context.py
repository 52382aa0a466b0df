"""The context of one generation in one run: its ports, its terms, and what the run has done for it so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace

from reconciler.artifacts.store import Objects
from reconciler.artifacts.upload_links import usable_until
from reconciler.clock import Clock
from reconciler.engine.control import RunControl, StepEnded
from reconciler.engine.inputs.resolve import InputResolver
from reconciler.engine.ports import ConnectedProvider, Sink, Workers
from reconciler.engine.uncertain.task_list import LookupContext
from reconciler.events import Event, EventKind
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.plan.model import GENERATES, Step
from reconciler.plan.rehearsals import was_rehearsed
from reconciler.project.orders import Order
from reconciler.providers.base import Job, Succeeded
from reconciler.records import Artifact, Attempt, State
from reconciler.state.budget import Caps
from reconciler.state.ledger import Facts
from reconciler.state.receipts import Receipts
from reconciler.state.store import Store

INTERRUPTED = "stopped before it was submitted"


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a generation. `marker` returns a new unique text at each call, `seed` 31 random bits."""

    store: Store
    receipts: Receipts
    objects: Objects
    inputs: InputResolver
    workers: Workers
    clock: Clock
    sink: Sink
    lookups: LookupContext
    marker: Callable[[], str]
    seed: Callable[[], int]


@dataclass(frozen=True, slots=True)
class RunTerms:
    """The terms of a whole run. `run`: its number; 0: none. `force`: clips whose foreign outputs are moved aside."""

    run: int = 0
    caps: Caps | None = None
    detach: bool = False  # leave each task after its submit
    fail_fast: bool = False
    force: frozenset[str] = frozenset()
    fetching: bool = False  # a video must be the very file that the lock file names


@dataclass(slots=True)
class AttemptContext:
    """One generation in one run. The fields after `order` are what this run has done so far."""

    ports: Ports
    terms: RunTerms
    control: RunControl
    step: Step
    provider: ConnectedProvider
    order: Order | None
    began: float = 0.0
    sent: bool = False  # a request for the key has gone out, or may have
    tries: int = 0
    polls: int = 0
    troubles: int = 0  # polls in a row without the task's state
    fetches: int = 0
    misses: list[float] = field(default_factory=list)
    empties: list[float] = field(default_factory=list)
    job: Job | None = None
    result: Succeeded | None = None
    result_time: float = 0.0  # of `result`, by the wall clock: a laptop's sleep ages links, not monotonic clocks
    artifact: Artifact | None = None
    lookup_reason: str = ""  # why a look-up left the request uncertain

    @property
    def may_buy(self) -> bool:
        """True if the confirmed plan has a purchase for this step.

        A step that carries on with a paid task has none: if that task fails, generating again needs another plan, with
        its price. A draft costs nothing.
        """
        return self.step.action in GENERATES or not self.provider.durable

    def newest(self) -> Attempt | None:
        """Return the newest attempt of the key, as the store has it now; a rehearsal is none."""
        attempts = self.ports.store.attempts(self.step.key)
        return next((a for a in reversed(attempts) if not was_rehearsed(a, self.provider.endpoint)), None)

    @property
    def link_expired(self) -> bool:
        """True if the link of `result` is too old to be tried, by the lifetime that the provider gives it."""
        life = self.provider.pace.link_life if self.result is None or self.result.life is None else self.result.life
        return self.ports.clock.now() >= usable_until(life, self.result_time)

    def move(self, attempt: Attempt, state: State, facts: Facts) -> None:
        """Move the attempt to a state."""
        self.ports.store.move(attempt, state, facts)

    def ready(self, attempt: Attempt) -> Attempt:
        """Return the attempt as READY; recorded if it was not. A download that succeeds does so in its own commit."""
        return attempt if attempt.state is State.READY else self.ports.store.move(attempt, State.READY)

    def require_open(self) -> None:
        """Raise StepEnded, so that nothing is submitted, if the run is interrupted or this provider is stopped."""
        if self.control.event.is_set():
            raise StepEnded(EventKind.SKIPPED, INTERRUPTED)
        if self.provider.alias in self.control.stopped:
            raise StepEnded(EventKind.SKIPPED, self.control.stopped[self.provider.alias])

    async def pause(self, delay: float, *, nothing_sent: bool = False) -> None:
        """Wait. Raises StepEnded if the user interrupts: a later run carries on."""
        if not self.control.event.is_set() and delay > 0:
            await self.control.sleep(self.ports.clock, delay)
        if self.control.event.is_set():
            if nothing_sent:
                raise StepEnded(EventKind.SKIPPED, INTERRUPTED)
            text = f"{self.control.end}; its task is on record"
            raise StepEnded(EventKind.LEFT, text, f"{command('apply')} carries on")

    async def wait(self, reason: str, delay: float, *, nothing_sent: bool = False) -> None:
        """Say why and how long this step waits, and wait. Raises StepEnded as `pause`."""
        if delay > 0 and not self.control.event.is_set():
            self.say_waiting(reason, delay)
        await self.pause(delay, nothing_sent=nothing_sent)

    def say_waiting(self, reason: str, delay: float = 0.0) -> None:
        """Emit why this step waits; a pause that the provider asked for may be longer than `delay`."""
        wait = max(delay, self.provider.transport.paused)
        tries = max(self.tries, self.troubles)
        self.ports.sink.emit(replace(self._event(EventKind.WAITING, reason), wait=wait or None, tries=tries or None))

    def say(self, kind: EventKind, *, task: str | None = None, message: str = "", progress: int | None = None) -> None:
        """Emit an event of this step."""
        self.ports.sink.emit(replace(self._event(kind, message), task=task, progress=progress))

    def _event(self, kind: EventKind, message: str) -> Event:
        elapsed = self.ports.clock.monotonic() - self.began
        event = Event(kind, self.step.clip, self.step.take, self.step.action.value, message=message)
        return replace(event, elapsed=elapsed, expected=self.step.expected, takes=self.step.takes)
