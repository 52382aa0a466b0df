"""Reads one provider's list of tasks, has `match` decide about uncertain requests, and records the verdicts.

Nothing is sent again here. A request that is matched to a task carries on with it; one that is proven absent is closed,
so that a run may make a new attempt. Any other request stays uncertain, with the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.clock import Clock
from reconciler.diagnostics import StateError
from reconciler.engine.ports import ConnectedProvider
from reconciler.engine.uncertain import match
from reconciler.engine.uncertain.absence import Absent, Ask, ListReading, ProofTerms, first_look
from reconciler.engine.uncertain.requests import UncertainRequest, uncertain_request
from reconciler.project.endpoints import Site
from reconciler.providers.base import PollTrouble
from reconciler.providers.capabilities import Covers, Echoes, NamesTasks, TaskList
from reconciler.records import UNDECIDED, Attempt, State
from reconciler.state.ledger import Facts
from reconciler.state.receipts import Receipts
from reconciler.state.store import Store

ABSENT = "absent"
"""The reason of an attempt that was closed because the provider's list proves that it was not accepted."""


@dataclass(slots=True)
class LookupContext:
    """Where look-ups read and write. `claimed`: tasks that only the lock file or a receipt names. `documents`: the
    identity documents of the project's clips now, by key, for attempts whose own document was lost."""

    store: Store
    receipts: Receipts
    clock: Clock
    claimed: frozenset[str] = frozenset()
    documents: Mapping[str, str] = field(default_factory=dict)
    readers: dict[Site, TaskListReader] = field(default_factory=dict)

    def reader(self, provider: ConnectedProvider) -> TaskListReader:
        """Return the one reader of a provider's list: its readings serve every uncertain request there."""
        return self.readers.setdefault(provider.site, TaskListReader(self, provider))


@dataclass(slots=True)
class TaskListReader:
    """The readings of one provider's list in this process. `adopts_unsited`: attempts of an older clipform, which have
    no endpoint, count as sent here."""

    lookups: LookupContext
    provider: ConnectedProvider
    adopts_unsited: bool = True
    readings: list[ListReading] = field(default_factory=list)
    trouble: str = ""  # why the list could not be read the last time
    again: float | None = None  # and when it can be, by the monotonic clock
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read(self, since: float) -> None:
        """Read the list, unless a reading began at `since` or later, by the monotonic clock."""
        async with self.turn:
            if self.readings and self.readings[-1].steady >= since and not self.trouble:
                return
            clock = self.lookups.clock
            began, steady = clock.now(), clock.monotonic()
            store, transport = self.lookups.store, self.provider.transport
            if (wait := store.paused(transport.account)) > 0:  # said to another machine
                self.trouble, self.again = f"{self.provider.alias} is busy", steady + wait
                return
            after = frozenset(attempt.id for attempt in store.uncertain())
            answer = await transport.tasks()
            if transport.paused > 0:
                store.pause(transport.account, transport.paused)
            self.trouble, self.again = "", None
            match answer:
                case TaskList(tasks, complete, date):
                    self.readings.append(ListReading(began, steady, tasks, complete, date, after))
                case PollTrouble(message):
                    self.trouble = f"its list could not be read: {message}"
                case None:
                    self.trouble = "it has no list"

    def settle(self) -> dict[int, match.Verdict]:
        """Decide about every uncertain request of this provider from the records as they are now, and record it."""
        attempts = self.lookups.store.attempts()
        mine = [attempt for attempt in attempts if self._mine(attempt) and attempt.state in UNDECIDED]
        uncertain = {attempt.id: attempt for attempt in mine if attempt.state is State.UNCERTAIN}
        if self.trouble:
            return dict.fromkeys(uncertain, Ask(self.trouble, self.again))
        for attempt in uncertain.values():
            looked = first_look(attempt.id, attempt.looked, self.readings)
            if attempt.looked is None and looked is not None:
                self.lookups.store.look(attempt, looked)
        claimed = self._claimed(attempts)
        dialect = self.provider.dialect
        coverage = dialect.coverage if isinstance(dialect, Covers) else None
        rivals = [self._request(attempt, attempts) for attempt in attempts if self._rival(attempt)]
        requests = [*(self._request(attempt, attempts) for attempt in mine), *rivals]
        terms = ProofTerms(coverage, self.provider.transport.submit_silence)
        verdicts = match.decide(requests, claimed, self.readings, terms)
        return {number: self._recorded(uncertain[number], verdict) for number, verdict in verdicts.items()}

    def _recorded(self, attempt: Attempt, verdict: match.Verdict) -> match.Verdict:
        try:
            return self._record(attempt, verdict)
        except StateError as error:
            if error.code != "elsewhere":
                raise
            return Ask(error.message)

    def _claimed(self, attempts: tuple[Attempt, ...]) -> match.Claimed:
        """Return the listed tasks that are on record, each with its request if an attempt of this provider has it."""
        generations = self.lookups.store.snapshot().generations.values()
        tasks = self.lookups.claimed | {generation.task for generation in generations if generation.task is not None}
        tasks = frozenset(map(self._listed_name, tasks))
        owners = {self._listed_name(attempt.task): attempt for attempt in attempts if attempt.task is not None}
        listed = {task.task for reading in self.readings for task in reading.tasks}
        return {
            task: self._shown(owners[task]) if task in owners and self._mine(owners[task]) else None
            for task in listed & (tasks | owners.keys())
        }

    def _listed_name(self, task: str) -> str:
        dialect = self.provider.dialect
        return dialect.listed_name(task) if isinstance(dialect, NamesTasks) else task

    def _shown(self, attempt: Attempt) -> UncertainRequest:
        """Return an attempt as the provider would show it."""
        dialect = self.provider.dialect
        model = next((model for model in dialect.models if model.name == attempt.model), None)
        request = uncertain_request(attempt, attempt.document or self.lookups.documents.get(attempt.key, ""), model)
        echoes = dialect.echoes if isinstance(dialect, Echoes) else frozenset()
        if request.draft and (draft := self.lookups.store.generation(request.draft)) is not None:
            request = replace(request, draft_task=draft.task)
        return replace(request, reports=request.reports | echoes)

    def _mine(self, attempt: Attempt) -> bool:
        """True if it was sent to this alias and address."""
        site = Site.of(attempt, self.provider.site.account)
        if self.adopts_unsited and not site.endpoint:
            site = replace(site, endpoint=self.provider.endpoint)
        return site == self.provider.site

    def _rival(self, attempt: Attempt) -> bool:
        """True if it is uncertain at another alias or address of this kind, which may be the same account."""
        return attempt.kind == self.provider.kind and not self._mine(attempt) and attempt.state in UNDECIDED

    def _request(self, attempt: Attempt, attempts: tuple[Attempt, ...]) -> UncertainRequest:
        request = self._shown(attempt)
        if not self._mine(attempt):
            return replace(request, rival=True)
        previous = [a for a in attempts if a.key == attempt.key and a.id < attempt.id][-1:]
        account = self.lookups.store.account(attempt)
        return replace(
            request,
            own_account=account != "" and account == self.provider.transport.account,
            again=any(a.state is State.NOT_SENT and a.reason == ABSENT for a in previous),
        )

    def _record(self, attempt: Attempt, verdict: match.Verdict) -> match.Verdict:
        match verdict:
            case match.Matched(task, why):
                return self._matched(attempt, task, why)
            case Absent(first, second):
                evidence = {"by": "list", "first": first, "second": second, "listed": len(self.readings[-1].tasks)}
                text = f"{self.provider.alias}'s list proves that it was not accepted"
                self.lookups.store.move(attempt, State.NOT_SENT, Facts(None, ABSENT, text, evidence=evidence))
                self.lookups.receipts.void(attempt)
        return verdict

    def _matched(self, attempt: Attempt, task: str, why: str) -> match.Verdict:
        """Write the task id to the receipts and to the database, each even if the other fails."""
        evidence = {"by": "list", "why": why, "read": self.readings[-1].at}
        try:
            self.lookups.receipts.accepted(attempt, task)
        finally:
            try:
                self.lookups.store.move(attempt, State.ACCEPTED, Facts(task=task, evidence=evidence))
            except StateError as error:
                if error.code != "task-taken":
                    raise
                return Ask(f"task {task} may be it, but belongs to another clip")
        return match.Matched(task, why)
