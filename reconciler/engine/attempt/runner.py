"""Carries one generation from its record to a durable artifact: look at the record, take one step, look again.

A step returns when there is something to wait for. Here the run waits and asks for the next one; another caller may
write down `AttemptContext.counters`, and ask again later and elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.diagnostics import StateError
from reconciler.engine.attempt import job
from reconciler.engine.attempt import next_step as steps
from reconciler.engine.attempt.context import LONGEST_PAUSE, AttemptContext, Streak
from reconciler.engine.attempt.download import FETCHES, download
from reconciler.engine.attempt.look_up import look_up, report
from reconciler.engine.attempt.submit import submit
from reconciler.engine.control import Ended, Pause, StepEnded
from reconciler.events import EventKind, take_name
from reconciler.next_command import command
from reconciler.plan import remedies
from reconciler.plan.model import Reason
from reconciler.plan.remedies import Block, reason_line
from reconciler.providers import base
from reconciler.providers.base import Refusal
from reconciler.providers.capabilities import Lists
from reconciler.records import Attempt, Money, State
from reconciler.state.accounts import NotYet
from reconciler.state.ledger import Facts

MISSES = 3
"""How many "not found" answers in a row, over at least `MISSING` seconds, mean that a task vanished; and how many
answers without a link, that it has no output."""
MISSING = 60.0
NEEDS_A_PERSON = frozenset({Refusal.CREDENTIALS, Refusal.TOKEN, Refusal.ACCOUNT})
"""Reasons of a refused poll that no later poll is without."""
ACCOUNT_WIDE = frozenset({Refusal.CREDENTIALS, Refusal.ACCOUNT})
"""Reasons of a failure that the next task would have, too: one vendor charges only after it accepted."""
CLOSED_POLLS = 2
"""Polls, each with tries of its own, of an address where nothing listens and nothing has in this run."""
_OVER = frozenset({State.FAILED, State.REFUSED, State.CANCELLED})
FOLLOW = 1.0
"""Seconds between two looks at what others do."""


class AttemptRunner:
    """One generation in one run."""

    def __init__(self, context: AttemptContext) -> None:
        self.context = context
        self.due: Attempt | None = None  # the attempt whose poll was waited for
        self.noted = ""  # the last message about a poll, so that an outage is reported once
        self.followed: Attempt | None = None  # which somebody else carried out when it was looked at last
        self.maker = ""  # who that is
        self.waited: float | None = None  # for others, since then
        self.trouble = ""  # why the last poll has not shown the task's state

    async def make(self) -> str:
        """Take steps until the artifact is durable, and return its SHA-256.

        Raises StepEnded, or ClipformError for local errors.
        """
        while isinstance(outcome := await self._step_among_others(), Pause):
            await self.context.wait(outcome)
        return outcome.sha256

    async def _step_among_others(self) -> Pause | Ended:
        """Take steps as `step`. What a shared store refuses now, because others buy at the same time, is tried again:
        the record then shows who has begun the key, and that one is followed."""
        try:
            return await self.step()
        except NotYet as error:
            return self._waiting(error.message, error.wait)
        except StateError as error:
            if not self.context.ports.store.is_shared or error.code not in ("key-open", "elsewhere"):
                raise
            return self._waiting(error.message)

    def _waiting(self, reason: str, seconds: float = FOLLOW) -> Pause:
        """Return the wait for others. Raises StepEnded after as long as a task may take, or at once to detach."""
        now, pace = self.context.ports.clock.monotonic(), self.context.pace
        self.waited = now if self.waited is None else self.waited
        if self.context.terms.detach or now - self.waited > pace.timeout:
            raise StepEnded(EventKind.SKIPPED, reason, f"{command('apply')} goes on with it")
        return Pause(min(seconds, LONGEST_PAUSE), reason, nothing_sent=True)

    def _follow(self, attempt: Attempt, holder: str) -> Pause:
        """Wait for an attempt that somebody else carries out."""
        self.maker, self.followed = holder, attempt
        return self._waiting(f"{holder} is making it; free here")

    async def step(self) -> Pause | Ended:
        """Carry on until there is something to wait for, or the artifact is durable. Raises as `make`."""
        while True:
            if self.due is not None:
                pause = self.context.closed() or await self._poll(self.due)
                if pause is not None:
                    return pause
            store = self.context.ports.store
            if self.followed is not None and (holder := store.holder(self.followed)):
                return self._follow(self.followed, holder)
            attempt = self.context.newest()
            if attempt is not None and (holder := store.holder(attempt)):
                return self._follow(attempt, holder)
            if attempt is not None and attempt.state in (State.FETCHED, State.DONE) and attempt.sha256:
                if self.context.ports.objects.has(attempt.sha256, ".mp4") or await self._brought(attempt.sha256):
                    return Ended(attempt.sha256)
                attempt = self._lost(attempt)
            self.maker = ""  # nobody else carries it out: we do
            if self.context.looking is not None and (attempt is None or attempt.state is not State.UNCERTAIN):
                report(self.context)  # another generation's look-up has settled it
            if (pause := self.context.closed(nothing_sent=attempt is None or attempt.task is None)) is not None:
                return pause
            pause = await self._act(attempt, steps.next_step(attempt, self._situation()))
            if pause is not None:
                return pause

    async def _brought(self, sha256: str) -> bool:
        return self.context.provider.durable and await self.context.ports.bring(sha256)

    def _lost(self, attempt: Attempt) -> Attempt:
        """Handle an artifact that the store lost: a draft is rendered again, a paid one is never bought again."""
        if self.context.provider.durable:
            order = self.context.order
            takes = order.clip.spec.takes if order is not None else 1
            raise _blocked(remedies.artifact_lost(take_name(attempt.clip, attempt.take, takes), None, attempt))
        if attempt.state is State.DONE:
            return attempt
        return self.context.ports.store.move(attempt, State.DONE)

    async def _act(self, attempt: Attempt | None, step: steps.Next) -> Pause | None:
        match step:
            case steps.Submit() if self.context.may_buy:
                return await submit(self.context)
            case _ if attempt is None:
                raise self._ended(None)
            case steps.Poll(after):
                delay, self.due = self._paced(attempt, after), attempt
                if not self.context.counters.polls and not delay:
                    self.context.say_waiting(f"asking {self.context.provider.alias} for its task")
                return Pause(delay, self.trouble, attempt=attempt.id)
            case steps.LookUp():
                return await look_up(self.context, attempt)
            case steps.Fetch():
                return await self._fetch(attempt)
            case steps.Stall():
                self._note(self.trouble)
                self.context.move(attempt, State.STALLED, Facts(reason="deadline"))
            case steps.Leave() if attempt.state is State.STALLED:
                raise self._ended(attempt)
            case steps.Leave():
                raise StepEnded(
                    EventKind.LEFT, "its task goes on at the provider", f"{command('apply')} collects it later"
                )
            case steps.Submit() | steps.PlaceOutput() | steps.Stop():
                raise self._ended(attempt)
        return None

    async def _fetch(self, attempt: Attempt) -> Pause | None:
        """Download in a slot of its own; a link that expires while it waits for the slot is polled for again."""
        async with self.context.control.downloads:
            self.context.require_uninterrupted()  # an interrupt leaves the waiting downloads to a later run
            pause = None
            if self.context.link_expired:
                self.context.result, attempt = None, self.context.ready(attempt)
                pause = await self._poll(attempt)
            if self.context.result is not None:
                await download(self.context, attempt)
            return pause

    def _paced(self, attempt: Attempt, after: float) -> float:
        """Return a poll's delay. A finished task without a link is polled like a running one, up to its timeout."""
        counters, now = self.context.counters, self.context.ports.clock.monotonic()
        if attempt.state is not State.READY or not counters.polls:
            return after
        counters.linkless = now if counters.linkless is None else counters.linkless
        if now - counters.linkless > self.context.provider.pace.timeout:
            text = "its task is finished, but the provider gives no link to the result"
            raise StepEnded(EventKind.FAILED, text, f"it is paid for and kept; {command('apply')} asks again")
        return steps.poll_delay(self._situation(), 0.0)

    def _situation(self) -> steps.Situation:
        return steps.Situation(
            now=self.context.ports.clock.now(),
            pace=self.context.pace,
            polls=self.context.counters.polls,
            link=self.context.result is not None,
            sent=self.context.counters.sent,
            detach=self.context.terms.detach and self.context.provider.durable,  # a draft ends with this process
            expected=self.context.step.expected if self.context.provider.durable else None,  # a local poll is free
            lists=isinstance(self.context.provider.dialect, Lists) and not self.context.lookup_reason,
        )

    async def _poll(self, attempt: Attempt) -> Pause | None:
        """Poll the task; return the wait that its provider asks for."""
        self.due = None
        assert attempt.task is not None
        if self.context.job is None and self.context.order is not None and not self.context.provider.durable:
            inputs = await self.context.ports.inputs.ready(self.context.order)  # a draft may have to start again
            self.context.job = job.build(self.context.order, inputs, seed=attempt.seed, marker=attempt.marker)
        answer = await self.context.provider.transport.poll(attempt.task, self.context.job)
        self.context.counters.polls += 1
        self.context.share_pause()
        self._handle(attempt, answer)
        patient = not self.context.terms.detach
        if patient and isinstance(answer, base.PollTrouble) and answer.retry_after is not None:
            return Pause(min(answer.retry_after, LONGEST_PAUSE), self.trouble)
        return None

    def _handle(self, attempt: Attempt, answer: base.PollAnswer) -> None:
        if not isinstance(answer, base.NotFound):
            self.context.counters.misses = Streak()
        if not isinstance(answer, base.PollTrouble):
            self.trouble, self.context.counters.troubles = "", 0
            self.context.control.answered.add(self.context.provider.alias)
        match answer:
            case base.Working(progress=progress, warning=warning):
                self._note(warning)
                self.context.say(EventKind.RUNNING, task=attempt.task, progress=progress)
            case base.Succeeded():
                self.context.result, self.context.counters.linkless = answer, None
                self.context.result_time = self.context.ports.clock.now()
            case base.PollTrouble():
                self._troubled(answer)
            case base.NotFound(message):
                self._missed(attempt, message)
            case base.NoOutput(message):
                self._empty(attempt, message)
            case base.Failed():
                self._failed(attempt, answer)
            case base.Cancelled(message):
                self._close(attempt, State.CANCELLED, Facts(message=message))

    def _troubled(self, answer: base.PollTrouble) -> None:
        """Remember why a poll did not show the task's state; the wait for the next one says so."""
        if answer.refusal in NEEDS_A_PERSON:
            help = f"its task is on record; fix the credentials, then run: {command('apply')}"
            raise StepEnded(EventKind.BLOCKED, answer.message, help)
        provider = self.context.provider
        self.trouble = f"{provider.alias} is busy" if provider.transport.paused else answer.message
        self.context.counters.troubles += 1
        is_closed = answer.closed and provider.alias not in self.context.control.answered
        if is_closed and self.context.counters.troubles >= CLOSED_POLLS:
            text = f"{answer.message}; its task is on record"
            raise StepEnded(EventKind.BLOCKED, text, f"{command('apply')} carries on when it answers")
        if self.context.terms.detach:
            self._note(answer.message)

    def _failed(self, attempt: Attempt, answer: base.Failed) -> None:
        if answer.refusal in ACCOUNT_WIDE:
            why = f"{self.context.provider.alias}: a task failed because of the account: {answer.message}"
            self.context.control.stopped[self.context.provider.alias] = why
        money = Money.RELEASED if answer.free else Money.SETTLED
        evidence = {"code": answer.code}
        facts = Facts(reason=answer.refusal.value, message=answer.message, money=money, evidence=evidence)
        self._close(attempt, State.FAILED, facts)

    def _note(self, text: str) -> None:
        if text and text != self.noted:
            self.context.say(EventKind.NOTE, message=f"{self.context.step.name}: {text}")
        self.noted = text

    def _missed(self, attempt: Attempt, message: str) -> None:
        bought = self.context.ports.store.account(attempt)
        provider = self.context.provider
        if bought and bought != provider.transport.account:
            text = f"{provider.alias} does not show its task to this key, and it was bought with another one"
            raise StepEnded(
                EventKind.BLOCKED, text, f"set the key that it was bought with, then run: {command('apply')}"
            )
        now = self.context.ports.clock.monotonic()
        misses = self.context.counters.misses = self.context.counters.misses.extended(now)
        self.trouble, self.context.counters.troubles = f"{provider.alias} does not know its task", misses.count
        if misses.count >= MISSES and now - misses.since >= MISSING:
            self._close(attempt, State.VANISHED, Facts(message=message))

    def _empty(self, attempt: Attempt, message: str) -> None:
        """Handle a finished task without a link: some vendors give it a moment later, so it is polled a few times."""
        now, spread = self.context.ports.clock.monotonic(), min(MISSING, MISSES * self.context.provider.pace.poll_max)
        empties = self.context.counters.empties = self.context.counters.empties.extended(now)
        self.trouble = f"its task is finished, and {self.context.provider.alias} gives no video yet"
        self.context.counters.troubles = empties.count
        if empties.count >= MISSES and now - empties.since >= spread:
            self._close(attempt, State.NO_OUTPUT, Facts(message=message))

    def _close(self, attempt: Attempt, state: State, facts: Facts) -> None:
        """Record a final answer. A result that was seen before stays, even if the provider reports a failure later."""
        if attempt.state is State.READY:
            self.context.counters.fetches += 1
            if self.context.counters.fetches >= FETCHES:
                self.context.move(attempt, State.RESULT_EXPIRED, facts)
            return
        self.context.move(attempt, state, facts)

    def _ended(self, attempt: Attempt | None) -> StepEnded:
        """Return why this run ends without an artifact, in the words of the next plan."""
        order = self.context.order
        waiting = self.context.ports.store.unsettled(attempt.clip) if attempt is not None else ()
        takes = max([order.clip.spec.takes if order is not None else 1, *(other.take for other in waiting)])
        several = attempt is not None and sum(other.take == attempt.take for other in waiting) > 1
        block = remedies.of_attempt(attempt, takes=takes, several=several) if attempt is not None else None
        name = self.context.step.clip
        if attempt is None or attempt.state is State.SUBMITTING:
            return StepEnded(EventKind.BLOCKED, Reason.UNCERTAIN.sentence, command("show", name))
        if block is not None and attempt.state not in _OVER:
            reason = self.context.lookup_reason
            looked = f"; looked up at {attempt.provider}: {reason}" if reason else ""
            return _blocked(replace(block, detail=block.detail + looked))
        text = attempt.message or attempt.state.value.replace("_", " ")
        kind = EventKind.FAILED if attempt.state in _OVER else EventKind.BLOCKED
        return StepEnded(kind, text, "\n".join(block.way_out) if block else command("show", name))


def _blocked(block: Block) -> StepEnded:
    return StepEnded(EventKind.BLOCKED, reason_line(block.reason, block.detail), "\n".join(block.way_out))
