"""Carries one generation from its record to a durable artifact: look at the record, do one thing, look again."""

from __future__ import annotations

from dataclasses import replace

from reconciler.engine.attempt import job
from reconciler.engine.attempt.context import AttemptContext
from reconciler.engine.attempt.download import FETCHES, download
from reconciler.engine.attempt.look_up import look_up
from reconciler.engine.attempt.next_step import (
    Fetch,
    Leave,
    LookUp,
    Next,
    PlaceOutput,
    Poll,
    Situation,
    Stall,
    Stop,
    Submit,
    next_step,
    poll_delay,
)
from reconciler.engine.attempt.submit import submit
from reconciler.engine.control import StepEnded
from reconciler.events import EventKind
from reconciler.plan import remedies
from reconciler.plan.model import SENTENCES, Reason
from reconciler.plan.remedies import Block, reason_line
from reconciler.providers.base import (
    Cancelled,
    Failed,
    NoOutput,
    NotFound,
    PollAnswer,
    PollTrouble,
    Refusal,
    Succeeded,
    Working,
)
from reconciler.providers.capabilities import Lists
from reconciler.records import Attempt, Money, State
from reconciler.state.store import Facts

MISSES = 3
"""How many "not found" answers in a row, over at least `MISSING` seconds, make a task vanished; and how many answers
without a link one without output."""
MISSING = 60.0
ACCOUNT_WIDE = frozenset({Refusal.CREDENTIALS, Refusal.ACCOUNT})
"""Why a task failed, where the next one would fail for the same reason: one vendor charges only after it accepted."""
_OVER = frozenset({State.FAILED, State.REFUSED, State.CANCELLED})
LONGEST_PAUSE = 900.0
"""Seconds that a provider may make us wait before the next poll."""


class AttemptRunner:
    """One generation in one run."""

    def __init__(self, work: AttemptContext) -> None:
        self.work = work
        self.linkless: float | None = None  # since when a finished task gives no link
        self.noted = ""  # what was last said about a poll, so that an outage is told once

    async def make(self) -> str:
        """Until the artifact is durable; its SHA-256. Raises Stopped, or ClipformError for what went wrong here."""
        while True:
            attempt = self.work.newest()
            if attempt is not None and attempt.state in (State.FETCHED, State.DONE) and attempt.sha256:
                if self.work.ports.objects.has(attempt.sha256, ".mp4"):
                    return attempt.sha256
                attempt = self._lost(attempt)
            await self._act(attempt, next_step(attempt, self._situation()))

    def _lost(self, attempt: Attempt) -> Attempt:
        """Its artifact is gone from the store. What is free is made anew; what was paid for is never bought again."""
        if self.work.vendor.durable:
            raise _blocked(remedies.artifact_lost(self.work.step.clip, None, attempt))
        if attempt.state is State.DONE:
            return attempt
        return self.work.ports.store.move(attempt, State.DONE)

    async def _act(self, attempt: Attempt | None, what: Next) -> None:
        match what:
            case Submit() if self.work.may_buy:
                await submit(self.work)
            case Poll(after):
                assert attempt is not None
                await self.work.pause(self._paced(attempt, after))
                await self._poll(attempt)
            case LookUp():
                assert attempt is not None
                await look_up(self.work, attempt)
            case Fetch():
                assert attempt is not None
                await self._fetch(attempt)
            case Stall():
                assert attempt is not None
                self.work.move(attempt, State.STALLED, Facts(reason="deadline"))
            case Leave() if attempt is not None and attempt.state is State.STALLED:
                raise self._ended(attempt)
            case Leave():
                raise StepEnded(EventKind.LEFT, "its task goes on at the provider", "clipform apply collects it later")
            case Submit() | PlaceOutput() | Stop():
                raise self._ended(attempt)

    async def _fetch(self, attempt: Attempt) -> None:
        """In a place of its own, which may have to be waited for: a link that has aged meanwhile is asked for anew."""
        async with self.work.halt.downloads:
            await self.work.pause(0.0)  # an interrupt leaves those who wait to a later run
            if self.work.aged:
                self.work.result = None
                await self._poll(attempt)
            if self.work.result is not None:
                await download(self.work, attempt)

    def _paced(self, attempt: Attempt, after: float) -> float:
        """A finished task whose link does not come is asked at the pace of a running one, and not for ever."""
        if attempt.state is not State.READY or not self.work.polls:
            return after
        now = self.work.ports.clock.monotonic()
        self.linkless = now if self.linkless is None else self.linkless
        if now - self.linkless > self.work.vendor.pace.timeout:
            help = "it is paid for and kept; clipform apply asks again"
            raise StepEnded(EventKind.FAILED, "its task is finished, but the result is not served", help)
        return poll_delay(self._situation(), 0.0)

    def _situation(self) -> Situation:
        return Situation(
            now=self.work.ports.clock.now(),
            pace=self.work.vendor.pace,
            polls=self.work.polls,
            link=self.work.result is not None,
            sent=self.work.sent,
            detach=self.work.terms.detach,
            expected=self.work.step.expected
            if self.work.vendor.durable
            else None,  # asking the local one costs nothing
            lists=isinstance(self.work.vendor.dialect, Lists) and not self.work.doubt,
        )

    async def _poll(self, attempt: Attempt) -> None:
        assert attempt.task is not None
        if self.work.job is None and self.work.order is not None and not self.work.vendor.durable:
            inputs = await self.work.ports.inputs.ready(
                self.work.order
            )  # the local vendor keeps nothing: it is told again
            self.work.job = job.build(self.work.order, inputs, seed=attempt.seed, marker=attempt.marker)
        answer = await self.work.vendor.transport.look(attempt.task, self.work.job)
        self.work.polls += 1
        self._heard(attempt, answer)
        patient = not self.work.terms.detach
        if patient and isinstance(answer, PollTrouble) and answer.retry_after is not None:
            await self.work.pause(min(answer.retry_after, LONGEST_PAUSE))

    def _heard(self, attempt: Attempt, answer: PollAnswer) -> None:
        if not isinstance(answer, NotFound):
            self.work.misses.clear()
        match answer:
            case Working(progress=progress, warning=warning):
                self._note(warning)
                self.work.say(EventKind.RUNNING, task=attempt.task, progress=progress)
            case Succeeded():
                self.work.result, self.linkless = answer, None
                self.work.heard = self.work.ports.clock.now()
                if attempt.state is not State.READY:
                    self.work.move(attempt, State.READY, Facts())
            case PollTrouble(message, refusal=Refusal.CREDENTIALS | Refusal.TOKEN | Refusal.ACCOUNT):
                help = "its task is on record; mend the credentials, then clipform apply collects it"
                raise StepEnded(EventKind.LEFT, message, help)
            case PollTrouble(message):
                self._note(f"{message}; asking again")
            case NotFound(message):
                self._missed(attempt, message)
            case NoOutput(message):
                self._empty(attempt, message)
            case Failed():
                self._failed(attempt, answer)
            case Cancelled(message):
                self._close(attempt, State.CANCELLED, Facts(message=message))

    def _failed(self, attempt: Attempt, answer: Failed) -> None:
        if answer.refusal in ACCOUNT_WIDE:
            why = f"{self.work.vendor.alias}: a task failed because of the account: {answer.message}"
            self.work.halt.vendors[self.work.vendor.alias] = why
        money = Money.RELEASED if answer.free else Money.SETTLED
        evidence = {"code": answer.code}
        facts = Facts(reason=answer.refusal.value, message=answer.message, money=money, evidence=evidence)
        self._close(attempt, State.FAILED, facts)

    def _note(self, words: str) -> None:
        if words and words != self.noted:
            self.work.say(EventKind.NOTE, message=f"{self.work.step.name}: {words}")
        self.noted = words

    def _missed(self, attempt: Attempt, message: str) -> None:
        bought = self.work.ports.store.account(attempt)
        if bought and bought != self.work.vendor.transport.account:
            words = f"{self.work.vendor.alias} does not show its task to this key, and it was bought with another one"
            raise StepEnded(EventKind.LEFT, words, "set the key that it was bought with, then clipform apply")
        now = self.work.ports.clock.monotonic()
        self.work.misses.append(now)
        if len(self.work.misses) >= MISSES and now - self.work.misses[0] >= MISSING:
            self._close(attempt, State.VANISHED, Facts(message=message))

    def _empty(self, attempt: Attempt, message: str) -> None:
        """Finished and no link: some vendors name it a moment later, so it is asked a few times more, at its pace."""
        now, spread = self.work.ports.clock.monotonic(), min(MISSING, MISSES * self.work.vendor.pace.poll_max)
        self.work.empties.append(now)
        if len(self.work.empties) >= MISSES and now - self.work.empties[0] >= spread:
            self._close(attempt, State.NO_OUTPUT, Facts(message=message))

    def _close(self, attempt: Attempt, state: State, facts: Facts) -> None:
        """A final answer. A result that was seen before stays: success and then failure keeps the result."""
        if attempt.state is State.READY:
            self.work.fetches += 1
            if self.work.fetches >= FETCHES:
                self.work.move(attempt, State.RESULT_EXPIRED, facts)
            return
        self.work.move(attempt, state, facts)

    def _ended(self, attempt: Attempt | None) -> StepEnded:
        """Why an attempt that needs nothing more from this run did not give an artifact: as the next plan says it."""
        order = self.work.order
        takes = order.clip.spec.takes if order is not None else 1
        several = attempt is not None and self.work.ports.store.unsettled(attempt.clip, attempt.take) > 1
        block = remedies.of_attempt(attempt, takes=takes, several=several) if attempt is not None else None
        name = remedies.quote(self.work.step.clip)
        if attempt is None or attempt.state is State.SUBMITTING:
            return StepEnded(EventKind.BLOCKED, SENTENCES[Reason.UNCERTAIN], f"clipform show {name}")
        if block is not None and attempt.state not in _OVER:
            looked = f"; looked up at {attempt.provider}: {self.work.doubt}" if self.work.doubt else ""
            return _blocked(replace(block, known=block.known + looked))
        words = attempt.message or attempt.state.value.replace("_", " ")
        kind = EventKind.FAILED if attempt.state in _OVER else EventKind.BLOCKED
        return StepEnded(kind, words, "\n".join(block.way_out) if block else f"clipform show {name}")


def _blocked(block: Block) -> StepEnded:
    return StepEnded(EventKind.BLOCKED, reason_line(block.reason, block.known), "\n".join(block.way_out))
