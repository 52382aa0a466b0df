"""What one generation works with while a run carries it: its ports, its terms, and what this run has learnt of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.artifacts.store import Objects
from reconciler.artifacts.upload_links import usable_until
from reconciler.clock import Clock
from reconciler.engine.control import RunControl, StepEnded
from reconciler.engine.inputs.resolve import InputResolver
from reconciler.engine.ports import ConnectedProvider, Sink, Workers
from reconciler.engine.uncertain.task_list import LookupContext
from reconciler.events import Event, EventKind
from reconciler.plan.model import GENERATES, Step
from reconciler.project.orders import Order
from reconciler.providers.base import Job, Succeeded
from reconciler.records import Artifact, Attempt, State
from reconciler.state.budget import Caps
from reconciler.state.receipts import Receipts
from reconciler.state.store import Facts, Store

INTERRUPTED = "stopped before it was submitted"


@dataclass(frozen=True, slots=True)
class Ports:
    """What a maker acts through. `marker` gives a new unique text, `seed` 31 random bits, each time it is called."""

    store: Store
    receipts: Receipts
    objects: Objects
    inputs: InputResolver
    workers: Workers
    clock: Clock
    sink: Sink
    books: LookupContext
    marker: Callable[[], str]
    seed: Callable[[], int]


@dataclass(frozen=True, slots=True)
class RunTerms:
    """What holds for a whole run: its number, its caps, and whether to leave after the submit."""

    run: int = 0
    caps: Caps | None = None
    detach: bool = False


@dataclass(slots=True)
class AttemptContext:
    """One generation in one run. What follows `order` is what this run has done so far."""

    ports: Ports
    terms: RunTerms
    halt: RunControl
    step: Step
    vendor: ConnectedProvider
    order: Order | None
    began: float = 0.0
    sent: bool = False  # a request for the key has gone out, or may have
    tries: int = 0
    polls: int = 0
    fetches: int = 0
    misses: list[float] = field(default_factory=list)
    empties: list[float] = field(default_factory=list)
    job: Job | None = None
    result: Succeeded | None = None
    heard: float = 0.0  # when `result` was told, by the wall clock: a laptop's sleep ages links, not monotonic clocks
    made: Artifact | None = None
    doubt: str = ""  # what a look-up said about a request in doubt

    @property
    def may_buy(self) -> bool:
        """Whether the plan that was confirmed has a purchase for this step. One that carries on with a paid task has
        none: if that task fails, making it again is another plan, with its price. A draft costs nothing."""
        return self.step.action in GENERATES or not self.vendor.durable

    def newest(self) -> Attempt | None:
        """The newest attempt of the key, as the store has it now."""
        found = self.ports.store.attempts(self.step.key)
        return found[-1] if found else None

    @property
    def aged(self) -> bool:
        """Whether the link at hand is too old to be tried, by the life that the provider gives it."""
        life = self.vendor.pace.link_life if self.result is None or self.result.life is None else self.result.life
        return self.ports.clock.now() >= usable_until(life, self.heard)

    def move(self, attempt: Attempt, state: State, facts: Facts) -> None:
        """Move the attempt on."""
        self.ports.store.move(attempt, state, facts)

    def require_open(self) -> None:
        """Nothing new is submitted once the user has interrupted, or the provider has turned the account down."""
        if self.halt.event.is_set():
            raise StepEnded(EventKind.SKIPPED, INTERRUPTED)
        if self.vendor.alias in self.halt.vendors:
            raise StepEnded(EventKind.SKIPPED, self.halt.vendors[self.vendor.alias])

    async def pause(self, delay: float, *, nothing_sent: bool = False) -> None:
        """Wait, unless the user interrupts: then this generation is left to a later run."""
        if not self.halt.event.is_set() and delay > 0:
            nap = asyncio.ensure_future(self.ports.clock.sleep(delay))
            try:
                await self.unless_halted(nap)
            finally:
                nap.cancel()
        if self.halt.event.is_set():
            if nothing_sent:
                raise StepEnded(EventKind.SKIPPED, INTERRUPTED)
            raise StepEnded(EventKind.LEFT, "interrupted; its task is on record", "clipform apply carries on")

    async def unless_halted(self, work: asyncio.Future[Any]) -> None:
        """Until `work` is done or the user interrupts."""
        halt = asyncio.ensure_future(self.halt.event.wait())
        try:
            await asyncio.wait({work, halt}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            halt.cancel()

    def say(self, kind: EventKind, *, task: str | None = None, message: str = "", progress: int | None = None) -> None:
        """Tell whoever listens."""
        elapsed = self.ports.clock.monotonic() - self.began
        event = Event(kind, self.step.clip, self.step.take, self.step.action.value, message=message, task=task)
        self.ports.sink.emit(replace(event, progress=progress, elapsed=elapsed, expected=self.step.expected))
