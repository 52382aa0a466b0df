"""Carries one generation from its record to a durable artifact: look at the record, do one thing, look again.

The order inside `_submit` is the promise that one key is paid for once: intent committed, receipt written, one request,
receipt, commit. Nothing between the reply and its commit may fail, print or be cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from reconciler.artifacts.store import Objects
from reconciler.diagnostics import ClipformError, MediaError, ProviderError
from reconciler.engine import jobs
from reconciler.engine.desire import Order
from reconciler.engine.inputs import Inputs
from reconciler.engine.ports import Clock, Sink, Vendor, Workers
from reconciler.engine.steps import Fetch, Leave, Next, Place, Poll, Situation, Stall, Stop, Submit, next_step
from reconciler.engine.verify import facts_of, mismatch
from reconciler.events import Event, Kind
from reconciler.plan import cost
from reconciler.plan.model import Step
from reconciler.providers.base import (
    Accepted,
    Cancelled,
    Failed,
    Job,
    NoOutput,
    NotFound,
    NotSent,
    PollAnswer,
    PollTrouble,
    Refusal,
    Rejected,
    SubmitAnswer,
    Succeeded,
    Unknown,
    Working,
)
from reconciler.records import Artifact, Attempt, Generation, Money, State
from reconciler.state.budget import Caps, NewAttempt
from reconciler.state.receipts import Receipts
from reconciler.state.store import Facts, Store

FETCHES = 3
"""How often a result is fetched anew before the attempt is put aside."""
MISSES = 3
"""How many "not found" answers in a row, over at least `MISSING` seconds, make a task vanished."""
MISSING = 60.0


@dataclass(frozen=True, slots=True)
class Ports:
    """What a maker acts through. `marker` gives a new unique text, `seed` 31 random bits, each time it is called."""

    store: Store
    receipts: Receipts
    objects: Objects
    inputs: Inputs
    workers: Workers
    clock: Clock
    sink: Sink
    marker: Callable[[], str]
    seed: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for a whole run: its number, its caps, and whether to leave after the submit."""

    run: int = 0
    caps: Caps | None = None
    detach: bool = False


@dataclass(slots=True)
class Halt:
    """Set when the user interrupts: no new submit, and whoever waits wakes up. `vendors` stops single providers."""

    event: asyncio.Event = field(default_factory=asyncio.Event)
    vendors: dict[str, str] = field(default_factory=dict)  # alias -> why no more is submitted to it


class Stopped(Exception):
    """This generation ends here for this run. `kind` says how: FAILED, BLOCKED, LEFT or SKIPPED."""

    def __init__(self, kind: Kind, message: str, help: str = "") -> None:
        super().__init__(message)
        self.kind, self.message, self.help = kind, message, help


class Maker:
    """One generation in one run."""

    def __init__(self, ports: Ports, terms: Terms, halt: Halt, step: Step, vendor: Vendor, order: Order | None) -> None:
        self.ports, self.terms, self.halt = ports, terms, halt
        self.step, self.vendor, self.order = step, vendor, order
        self.began = ports.clock.monotonic()
        self.polls = 0
        self.fetches = 0
        self.misses: list[float] = []
        self.sent = False
        self.job: Job | None = None
        self.result: Succeeded | None = None
        self.made: Artifact | None = None  # what this run fetched

    async def make(self) -> str:
        """Until the artifact is durable; its SHA-256. Raises Stopped, or ClipformError for what went wrong here."""
        while True:
            attempt = self._newest()
            if attempt is not None and attempt.state in (State.FETCHED, State.DONE) and attempt.sha256:
                return attempt.sha256
            await self._act(attempt, next_step(attempt, self._situation()))

    async def _act(self, attempt: Attempt | None, what: Next) -> None:
        match what:
            case Submit():
                await self._submit()
            case Poll(after):
                assert attempt is not None
                await self._pause(after)
                await self._poll(attempt)
            case Fetch():
                assert attempt is not None
                await self._fetch(attempt)
            case Stall():
                assert attempt is not None
                self._move(attempt, State.STALLED, Facts(reason="deadline"))
            case Leave():
                raise Stopped(Kind.LEFT, "its task goes on at the provider", "clipform apply collects it later")
            case Place() | Stop():
                raise self._ended(attempt)

    def _newest(self) -> Attempt | None:
        found = self.ports.store.attempts(self.step.key)
        return found[-1] if found else None

    def _situation(self) -> Situation:
        return Situation(
            now=self.ports.clock.now(),
            pace=self.vendor.pace,
            polls=self.polls,
            link=self.result is not None,
            sent=self.sent,
            detach=self.terms.detach,
            expected=self.step.expected if self.vendor.durable else None,  # asking the local one costs nothing
        )

    # --- submit -----------------------------------------------------------------------------

    async def _submit(self) -> None:
        if self.halt.event.is_set():
            raise Stopped(Kind.SKIPPED, "stopped before it was submitted")
        if self.vendor.alias in self.halt.vendors:
            raise Stopped(Kind.SKIPPED, self.halt.vendors[self.vendor.alias])
        if self.order is None:
            raise Stopped(Kind.FAILED, "nothing declares it any more")
        order, marker, seed = self.order, self.ports.marker(), self._seed(self.order)
        job = jobs.build(order, await self.ports.inputs.ready(order), seed=seed, marker=marker)
        request = self.vendor.dialect.submit(job)
        price = order.wanted.cost
        attempt = self.ports.store.begin(
            NewAttempt(
                key=self.step.key,
                clip=self.step.clip,
                take=self.step.take,
                provider=self.vendor.alias,
                kind=self.vendor.kind,
                model=order.wanted.model,
                marker=marker,
                document=order.wanted.document,
                seed=job.seed,
                cost_micros=micros(price.amount),
                currency=price.currency,
                run=self.terms.run,
            ),
            self.terms.caps,
        )
        self.job, self.sent = job, True
        if self.vendor.durable:  # a draft buys nothing that could be forgotten
            self.ports.receipts.intent(attempt)

        async def send() -> SubmitAnswer:
            reply = await self.vendor.transport.submit(request)
            answer = reply if isinstance(reply, NotSent | Unknown) else self.vendor.dialect.read_submit(reply)
            self._record(attempt, answer)
            return answer

        answer = await _finish(send())
        self._after_submit(answer)

    def _seed(self, order: Order) -> int | None:
        """A drawn seed makes a clip reproducible and a lost task recognisable; drafts need neither."""
        takes_seed = order.resolved.model.seed_max is not None and self.vendor.durable
        return self.ports.seed() if takes_seed and order.clip.seed is None else None

    def _record(self, attempt: Attempt, answer: SubmitAnswer) -> None:
        """The window in which nothing may fail: id to the receipts, then to the database."""
        if self.vendor.durable:
            self._receipt(attempt, answer)
        match answer:
            case Accepted(task):
                self.ports.store.move(attempt, State.ACCEPTED, Facts(task=task))
            case Rejected(refusal, code, message):
                facts = Facts(reason=refusal.value, message=message, evidence={"code": code})
                self.ports.store.move(attempt, State.REFUSED, facts)
            case NotSent(message):
                self.ports.store.move(attempt, State.NOT_SENT, Facts(message=message))
            case Unknown(message):
                self.ports.store.move(attempt, State.UNCERTAIN, Facts(message=message))

    def _receipt(self, attempt: Attempt, answer: SubmitAnswer) -> None:
        match answer:
            case Accepted(task):
                self.ports.receipts.accepted(attempt, task)
            case Rejected() | NotSent():
                self.ports.receipts.void(attempt)
            case Unknown():
                pass  # the intent stays open

    def _after_submit(self, answer: SubmitAnswer) -> None:
        """What an answer means for the rest of the run, once it is on record."""
        match answer:
            case Accepted(task, warning):
                self._say(Kind.SUBMITTED, task=task, message=warning)
            case Rejected(Refusal.CREDENTIALS | Refusal.ACCOUNT | Refusal.TOKEN as refusal, _, message):
                self.halt.vendors[self.vendor.alias] = f"{self.vendor.alias} refused: {refusal.value}"
                raise Stopped(Kind.FAILED, f"{refusal.value}: {message}", "mend the account, then clipform apply")
            case Rejected(refusal, _, message):
                raise Stopped(Kind.FAILED, f"refused ({refusal.value}): {message}")
            case NotSent(message):
                raise Stopped(Kind.FAILED, f"not sent: {message}", "clipform apply tries again; nothing was bought")
            case Unknown():
                pass  # the record says UNCERTAIN: the next look ends it

    # --- poll -------------------------------------------------------------------------------

    async def _poll(self, attempt: Attempt) -> None:
        assert attempt.task is not None
        if self.job is None and self.order is not None:
            inputs = {} if self.vendor.durable else await self.ports.inputs.ready(self.order)
            self.job = jobs.build(self.order, inputs, seed=attempt.seed, marker=attempt.marker)
        request = self.vendor.dialect.poll(attempt.task, self.job)
        reply = await self.vendor.transport.ask(request)
        answer = reply if isinstance(reply, PollTrouble) else self.vendor.dialect.read_poll(attempt.task, reply)
        self.polls += 1
        self._heard(attempt, answer)

    def _heard(self, attempt: Attempt, answer: PollAnswer) -> None:
        if not isinstance(answer, NotFound):
            self.misses.clear()
        match answer:
            case Working(progress=progress):
                self._say(Kind.RUNNING, task=attempt.task, progress=progress)
            case Succeeded():
                self.result = answer
                if attempt.state is not State.READY:
                    self._move(attempt, State.READY, Facts())
            case PollTrouble(message):
                self._say(Kind.NOTE, message=f"{self.step.name}: {message}; asking again")
            case NotFound(message):
                self._missed(attempt, message)
            case NoOutput(message):
                self._close(attempt, State.NO_OUTPUT, Facts(message=message))
            case Failed(refusal, code, message, free):
                money = Money.RELEASED if free else Money.SETTLED
                facts = Facts(reason=refusal.value, message=message, money=money, evidence={"code": code})
                self._close(attempt, State.FAILED, facts)
            case Cancelled(message):
                self._close(attempt, State.CANCELLED, Facts(message=message))

    def _missed(self, attempt: Attempt, message: str) -> None:
        now = self.ports.clock.monotonic()
        self.misses.append(now)
        if len(self.misses) >= MISSES and now - self.misses[0] >= MISSING:
            self._close(attempt, State.VANISHED, Facts(message=message))

    def _close(self, attempt: Attempt, state: State, facts: Facts) -> None:
        """A final answer. A result that was seen before stays: success and then failure keeps the result."""
        if attempt.state is State.READY:
            self.fetches += 1
            if self.fetches >= FETCHES:
                self._move(attempt, State.RESULT_EXPIRED, facts)
            return
        self._move(attempt, state, facts)

    # --- fetch ------------------------------------------------------------------------------

    async def _fetch(self, attempt: Attempt) -> None:
        result, self.result = self.result, None
        assert result is not None
        self.fetches += 1
        try:
            with self.ports.objects.part(f"attempt-{attempt.id}") as part:
                await self.vendor.transport.fetch(result.video, part)
                video = await facts_of(part.path, self.ports.workers)
                stored = part.commit(video.suffix)
                artifact = replace(video, sha256=stored.sha256, size=stored.size)
        except ProviderError as error:
            self._again(attempt, State.RESULT_EXPIRED, error)
            return
        except MediaError as error:
            self._again(attempt, State.QUARANTINED, error)
            return
        generation = Generation(
            key=attempt.key,
            sha256=artifact.sha256,
            document=attempt.document,
            provider=attempt.provider,
            kind=attempt.kind,
            model=attempt.model,
            task=attempt.task if self.vendor.durable else None,  # a local task's id means nothing later
            seed=result.seed if result.seed is not None else attempt.seed,
            cost_micros=self._cost(attempt, result),
            currency=attempt.currency,
            created=self.ports.clock.now(),
            elapsed=self.ports.clock.now() - attempt.created,
            mismatch=mismatch(self.order, artifact) if self.order else "",
        )
        self.ports.store.fetched(attempt, artifact, generation)
        self.made = artifact
        self._say(Kind.FETCHED, task=attempt.task)
        if generation.mismatch:
            self._say(Kind.NOTE, message=f"{self.step.name}: {generation.mismatch}; it is kept as it came")

    def _cost(self, attempt: Attempt, result: Succeeded) -> int | None:
        """What it cost: by the usage that the provider reports where that is how it bills, else as estimated."""
        if self.order is None:
            return attempt.cost_micros
        used = cost.settled(self.order.prices, attempt.model, self.order.resolution, result.usage.tokens)
        return attempt.cost_micros if used is None else micros(used)

    def _again(self, attempt: Attempt, state: State, error: ClipformError) -> None:
        if self.fetches >= FETCHES:
            self._move(attempt, state, Facts(message=error.message))

    # --- helpers ----------------------------------------------------------------------------

    async def _pause(self, delay: float) -> None:
        """Wait, unless the user interrupts: then this generation is left to a later run."""
        if not self.halt.event.is_set() and delay > 0:
            nap = asyncio.ensure_future(self.ports.clock.sleep(delay))
            halt = asyncio.ensure_future(self.halt.event.wait())
            try:
                await asyncio.wait({nap, halt}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                nap.cancel()
                halt.cancel()
        if self.halt.event.is_set():
            raise Stopped(Kind.LEFT, "interrupted; its task is on record", "clipform apply carries on")

    def _move(self, attempt: Attempt, state: State, facts: Facts) -> None:
        self.ports.store.move(attempt, state, facts)

    def _ended(self, attempt: Attempt | None) -> Stopped:
        """Why an attempt that needs nothing more from this run did not give an artifact."""
        if attempt is None or attempt.state in (State.SUBMITTING, State.UNCERTAIN):
            message = "its request may have been accepted; it is not sent again"
            return Stopped(Kind.BLOCKED, message, f"clipform show {self.step.clip}")
        words = attempt.message or attempt.state.value.replace("_", " ")
        kind = Kind.FAILED if attempt.state in (State.FAILED, State.REFUSED, State.CANCELLED) else Kind.BLOCKED
        return Stopped(kind, words, f"clipform show {self.step.clip}")

    def _say(self, kind: Kind, *, task: str | None = None, message: str = "", progress: int | None = None) -> None:
        elapsed = self.ports.clock.monotonic() - self.began
        event = Event(kind, self.step.clip, self.step.take, self.step.action.value, message=message, task=task)
        self.ports.sink.emit(replace(event, progress=progress, elapsed=elapsed, expected=self.step.expected))


async def _finish(work: Awaitable[SubmitAnswer]) -> SubmitAnswer:
    """Run to the end whatever happens to the caller: a cancelled submit that was accepted would lose its id."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


def micros(amount: Decimal | None) -> int | None:
    """Millionths of a currency."""
    return None if amount is None else int(amount * 1_000_000)
