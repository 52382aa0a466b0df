"""The context of one generation in one run: its ports, its terms, and what the run has done for it so far."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import field, replace

from reconciler.artifacts.store import Objects
from reconciler.artifacts.upload_links import usable_until
from reconciler.clock import Clock
from reconciler.engine.control import Pause, RunControl, StepEnded
from reconciler.engine.inputs.resolve import InputResolver
from reconciler.engine.ports import ConnectedProvider, Sink, Workers
from reconciler.engine.uncertain.task_list import LookupContext
from reconciler.events import Event, EventKind
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.plan.approvals import Approvals
from reconciler.plan.model import GENERATES, Step
from reconciler.plan.rehearsals import was_rehearsed
from reconciler.project.orders import Order
from reconciler.project.tiers import FLEX
from reconciler.providers.base import Job, Pace, Request, Succeeded
from reconciler.providers.capabilities import Tokens
from reconciler.records import Artifact, Attempt, State
from reconciler.state.budget import Caps
from reconciler.state.ledger import Facts
from reconciler.state.receipts import Receipts
from reconciler.state.store import Store

LONGEST_PAUSE = 900.0
"""Seconds that a provider may make us wait before the next poll."""
SPEAKS = 5.0
"""Seconds between two looks at who speaks for an account."""
INTERRUPTED = "stopped before it was submitted"


async def _not_shared(sha256: str) -> bool:
    return False


async def _kept_here(sha256: str, suffix: str) -> None:
    pass


def _called_by_nobody(provider: ConnectedProvider, request: Request, marker: str) -> Request:
    return request


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a generation. `marker` returns a new unique text at each call, `seed` 31 random bits,
    `approvals` what is approved at that instant.

    With a shared store, `bring` fetches an artifact that somebody else made, `keep` puts one where all can have it, and
    `addressed` adds to a submit with some marker where its vendor calls.
    """

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
    approvals: Callable[[], Approvals]
    bring: Callable[[str], Awaitable[bool]] = _not_shared
    keep: Callable[[str, str], Awaitable[None]] = _kept_here
    addressed: Callable[[ConnectedProvider, Request, str], Request] = _called_by_nobody


@dataclass(frozen=True, slots=True)
class RunTerms:
    """The terms of a whole run. `run`: its number; 0: none. `force`: clips whose foreign outputs are moved aside."""

    run: int = 0
    caps: Caps | None = None
    detach: bool = False  # leave each task after its submit
    fail_fast: bool = False
    force: frozenset[str] = frozenset()
    fetching: bool = False  # a video must be the very file that the lock file names


@dataclass(frozen=True, slots=True)
class Streak:
    """How many times in a row one answer came, and since when, in monotonic seconds."""

    count: int = 0
    since: float = 0.0

    def extended(self, now: float) -> Streak:
        """Return it with one answer more."""
        return Streak(self.count + 1, self.since if self.count else now)


FLEX_POLL = 300.0
"""Seconds between two looks at a task of the tier flex, at most: it takes hours."""


@dataclass(slots=True)
class Counters:
    """What this run has learnt of one generation: plain numbers, so that they can be written with its attempt."""

    sent: bool = False  # a request for the key has gone out, or may have
    tries: int = 0
    polls: int = 0
    troubles: int = 0  # polls in a row without the task's state
    fetches: int = 0
    looks: int = 0  # readings of a list for its request
    misses: Streak = Streak()
    empties: Streak = Streak()
    linkless: float | None = None  # monotonic seconds since when a finished task gives no link


@dataclass(slots=True)
class AttemptContext:
    """One generation in one run. The fields after `counters` may be lost: the next poll gives the link again."""

    ports: Ports
    terms: RunTerms
    control: RunControl
    step: Step
    provider: ConnectedProvider
    order: Order | None
    began: float = 0.0
    counters: Counters = field(default_factory=Counters)
    job: Job | None = None
    result: Succeeded | None = None
    result_time: float = 0.0  # of `result`, by the wall clock: a laptop's sleep ages links, not monotonic clocks
    artifact: Artifact | None = None
    looking: tuple[float, str] | None = None  # when its request is looked for again (monotonic), and why
    newest_seen: int = 0  # the number of the key's newest attempt, also of a rehearsal, when it was looked at last
    lookup_reason: str = ""  # why a look-up left the request uncertain

    @property
    def may_buy(self) -> bool:
        """True if the confirmed plan has a purchase for this step.

        A step that carries on with a paid task has none: if that task fails, generating again needs another plan, with
        its price. A draft costs nothing.
        """
        return self.step.action in GENERATES or not self.provider.durable

    @property
    def pace(self) -> Pace:
        """The provider's pace; a task of the tier flex may take as long as its model says, and is asked about less
        often."""
        pace, order = self.provider.pace, self.order
        if order is None or order.priced.tier != FLEX:
            return pace
        within = float(order.resolved.model.flex_within or 0)
        return replace(pace, timeout=max(pace.timeout, within), poll_max=max(pace.poll_max, FLEX_POLL))

    def newest(self) -> Attempt | None:
        """Return the newest attempt of the key, as the store has it now; a rehearsal is none."""
        attempts = self.ports.store.attempts(self.step.key)
        self.newest_seen = attempts[-1].id if attempts else 0
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

    def share_pause(self) -> None:
        """Tell the other machines of the account how long its provider wants no requests."""
        transport = self.provider.transport
        if self.provider.durable and (seconds := transport.paused) > 0:
            self.ports.store.pause(transport.account, seconds)

    def closed(self, *, nothing_sent: bool = False) -> Pause | None:
        """Return the wait while this machine must not ask the provider, because of what others do at its account."""
        store, provider = self.ports.store, self.provider
        if not (store.is_shared and provider.durable):
            return None
        account = provider.transport.account
        if isinstance(provider.dialect, Tokens) and (name := store.speaker(account)):
            text = f"{name} speaks for {provider.alias}, which takes the token of one at a time"
            return Pause(SPEAKS, text, nothing_sent)
        seconds = min(store.paused(account), LONGEST_PAUSE)
        return Pause(seconds, f"{provider.alias} is busy", nothing_sent) if seconds > 0 else None

    def require_open(self) -> None:
        """Raise StepEnded, so that nothing is submitted, if the run is interrupted or this provider is stopped."""
        if self.control.event.is_set():
            raise StepEnded(EventKind.SKIPPED, INTERRUPTED)
        if self.provider.alias in self.control.stopped:
            raise StepEnded(EventKind.SKIPPED, self.control.stopped[self.provider.alias])

    async def wait(self, pause: Pause) -> None:
        """Wait, and say why if there is a reason. Raises StepEnded if the user interrupts: a later run carries on."""
        if pause.delay > 0 and not self.control.event.is_set():
            if pause.reason:
                self.say_waiting(pause.reason, pause.delay)
            with self.control.waiting() if pause.idle else nullcontext():
                await self.control.sleep(self.ports.clock, pause.delay, idle=pause.idle, attempt=pause.attempt)
        if pause.looking and self.control.event.is_set():
            text = f"{self.control.end} before it could be looked up"
            raise StepEnded(EventKind.BLOCKED, text, f"{command('apply')} looks it up")
        self.require_uninterrupted(nothing_sent=pause.nothing_sent)

    def require_uninterrupted(self, *, nothing_sent: bool = False) -> None:
        """Raise StepEnded if the user has interrupted the run."""
        if self.control.event.is_set():
            if not self.provider.durable:
                raise StepEnded(EventKind.SKIPPED, f"{self.control.end}; the next apply draws it again")
            if nothing_sent:
                raise StepEnded(EventKind.SKIPPED, INTERRUPTED)
            text = f"{self.control.end}; its task is on record"
            raise StepEnded(EventKind.LEFT, text, f"{command('apply')} carries on")

    def say_waiting(self, reason: str, delay: float = 0.0) -> None:
        """Emit why this step waits; a longer pause that the provider asked for is the reason instead."""
        paused = self.provider.transport.paused
        reason, wait = (f"{self.provider.alias} is busy", paused) if paused > delay else (reason, delay)
        tries = max(self.counters.tries, self.counters.troubles)
        self.ports.sink.emit(replace(self._event(EventKind.WAITING, reason), wait=wait or None, tries=tries or None))

    def say(self, kind: EventKind, *, task: str | None = None, message: str = "", progress: int | None = None) -> None:
        """Emit an event of this step."""
        self.ports.sink.emit(replace(self._event(kind, message), task=task, progress=progress))

    def _event(self, kind: EventKind, message: str) -> Event:
        elapsed = self.ports.clock.monotonic() - self.began
        event = Event(kind, self.step.clip, self.step.take, self.step.action.value, message=message)
        return replace(event, elapsed=elapsed, expected=self.step.expected, takes=self.step.takes)
