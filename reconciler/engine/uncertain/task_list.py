"""One provider's list as a source about requests in doubt: read it, have `lookup` decide, record what that means.

Nothing here is ever sent again: what is found is carried on with, what is proven absent is closed, and only then may a
new attempt be made, by whoever makes attempts. Whatever else is said stays a question, with its reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.clock import Clock
from reconciler.diagnostics import StateError
from reconciler.engine.ports import ConnectedProvider
from reconciler.engine.uncertain import match
from reconciler.engine.uncertain.match import (
    JITTER,
    Absent,
    Ask,
    ListReading,
    Matched,
    ProofTerms,
    UncertainRequest,
    Verdict,
)
from reconciler.providers.base import PollTrouble
from reconciler.providers.capabilities import Covers, TaskList
from reconciler.records import Attempt, State
from reconciler.state.receipts import Receipts
from reconciler.state.store import Facts, Store

ABSENT = "absent"
"""The reason of an attempt that was closed because the provider's list proves that it was not accepted."""
_UNDECIDED = (State.SUBMITTING, State.UNCERTAIN)


@dataclass(slots=True)
class LookupContext:
    """Where look-ups read and write. `claimed`: tasks that only the lock file or a receipt knows. `documents`: what the
    project's clips say now, by key, for attempts whose own document was lost."""

    store: Store
    receipts: Receipts
    clock: Clock
    claimed: frozenset[str] = frozenset()
    documents: Mapping[str, str] = field(default_factory=dict)
    searches: dict[tuple[str, str], TaskListReader] = field(default_factory=dict)

    def search(self, vendor: ConnectedProvider) -> TaskListReader:
        """The one search at a provider: its readings serve for every request in doubt there."""
        place = (vendor.alias, vendor.endpoint)
        if place not in self.searches:
            self.searches[place] = TaskListReader(self, vendor)
        return self.searches[place]


@dataclass(slots=True)
class TaskListReader:
    """The readings of one provider's list in this process. `unsaid`: attempts of an older clipform, which do not say
    where they were made, are taken to belong here."""

    books: LookupContext
    vendor: ConnectedProvider
    unsaid: bool = True
    readings: list[ListReading] = field(default_factory=list)
    trouble: str = ""  # why the list could not be read the last time
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read(self, since: float) -> None:
        """Read the list, unless somebody has done so after `since`."""
        async with self.turn:
            if self.readings and self.readings[-1].at >= since and not self.trouble:
                return
            clock = self.books.clock
            began, steady = clock.now(), clock.monotonic()
            answer = await self.vendor.transport.tasks()
            self.trouble = ""
            match answer:
                case TaskList() if abs(clock.now() - began - (clock.monotonic() - steady)) > JITTER:
                    self.trouble = "the clock here was set while its list was read"
                case TaskList(tasks, complete, skew):
                    self.readings.append(ListReading(began, tasks, complete, skew))
                case PollTrouble(message):
                    self.trouble = f"its list could not be read: {message}"
                case None:
                    self.trouble = "it has no list"

    def settle(self) -> dict[int, Verdict]:
        """Decide about everything in doubt here by what is on record at this instant, and record what was decided."""
        attempts = self.books.store.attempts()
        mine = [attempt for attempt in attempts if self._mine(attempt) and attempt.state in _UNDECIDED]
        open_ones = {attempt.id: attempt for attempt in mine if attempt.state is State.UNCERTAIN}
        if self.trouble:
            return dict.fromkeys(open_ones, Ask(self.trouble))
        claimed = self.books.claimed | {a.task for a in attempts if a.task is not None}
        claimed |= {made.task for made in self.books.store.snapshot().generations.values() if made.task is not None}
        dialect = self.vendor.dialect
        coverage = dialect.coverage if isinstance(dialect, Covers) else None
        rivals = [self._doubt(attempt, attempts) for attempt in attempts if self._rival(attempt)]
        doubts = [*(self._doubt(attempt, attempts) for attempt in mine), *rivals]
        verdicts = match.decide(doubts, claimed, self.readings, ProofTerms(coverage, self.vendor.transport.patience))
        return {number: self._record(open_ones[number], verdict) for number, verdict in verdicts.items()}

    def _mine(self, attempt: Attempt) -> bool:
        """Made at this very place."""
        here = attempt.endpoint == self.vendor.endpoint or (self.unsaid and not attempt.endpoint)
        return here and (attempt.provider, attempt.kind) == (self.vendor.alias, self.vendor.kind)

    def _rival(self, attempt: Attempt) -> bool:
        """In doubt under another alias or address, which may be the same account."""
        return attempt.kind == self.vendor.kind and not self._mine(attempt) and attempt.state in _UNDECIDED

    def _doubt(self, attempt: Attempt, attempts: tuple[Attempt, ...]) -> UncertainRequest:
        model = next((model for model in self.vendor.dialect.models if model.name == attempt.model), None)
        document = attempt.document or self.books.documents.get(attempt.key, "")
        found = match.uncertain_request(attempt, document, model)
        if not self._mine(attempt):
            return replace(found, rival=True)
        before = [a for a in attempts if a.key == attempt.key and a.id < attempt.id][-1:]
        account = self.books.store.account(attempt)
        return replace(
            found,
            own_account=account != "" and account == self.vendor.transport.account,
            again=any(a.state is State.NOT_SENT and a.reason == ABSENT for a in before),
        )

    def _record(self, attempt: Attempt, verdict: Verdict) -> Verdict:
        match verdict:
            case Matched(task, why):
                return self._found(attempt, task, why)
            case Absent(first, second):
                evidence = {"by": "list", "first": first, "second": second, "listed": len(self.readings[-1].tasks)}
                text = f"{self.vendor.alias}'s list proves that it was not accepted"
                self.books.store.move(attempt, State.NOT_SENT, Facts(None, ABSENT, text, evidence=evidence))
                self.books.receipts.void(attempt)
        return verdict

    def _found(self, attempt: Attempt, task: str, why: str) -> Verdict:
        """The id goes to the receipts and to the database, each even if the other fails."""
        evidence = {"by": "list", "why": why, "read": self.readings[-1].at}
        try:
            self.books.receipts.accepted(attempt, task)
        finally:
            try:
                self.books.store.move(attempt, State.ACCEPTED, Facts(task=task, evidence=evidence))
            except StateError as error:
                if error.code != "task-taken":
                    raise
                return Ask(f"task {task} may be it, and is another clip's")
        return Matched(task, why)
