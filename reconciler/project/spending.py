"""What a project paid for, purchase by purchase: the rows of `cost`. Reads the records, and decides nothing.

A purchase counts as under a budget (`records.COUNTS`): settled, or reserved while nobody knows. Days and months are
those of UTC, by the time at which the request was written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from decimal import Decimal

from reconciler.frozen import dataclass
from reconciler.money import from_micros
from reconciler.plan.cost import is_purchase
from reconciler.project.model import Loaded
from reconciler.project.workspace import Workspace
from reconciler.records import OPEN, Attempt, LockEntry, Snapshot, State
from reconciler.spec.environment import is_local
from reconciler.state.history import LogEntry

_MADE = frozenset({State.FETCHED, State.DONE})


@dataclass(frozen=True, slots=True)
class PaidRequest:
    """One request that was paid for, or may be. `estimate` is what was reserved for it, `cost` what it counts now; None
    where no price is known. `outcome`: made, running, or billed without a video. `person` is empty where nobody knows.
    """

    clip: str
    take: int
    provider: str
    model: str
    currency: str
    estimate: Decimal | None
    cost: Decimal | None
    outcome: str = "made"
    time: str = ""  # ISO 8601, UTC; empty if it is not known
    person: str = ""
    tags: tuple[str, ...] = ()
    task: str | None = None
    key: str = ""
    rehearsal: bool = False  # at an address of this machine


@dataclass(frozen=True, slots=True)
class Spending:
    """All purchases, oldest first, and how often results were used again without one, by currency with their worth."""

    purchases: tuple[PaidRequest, ...]
    reused: int = 0
    saved: Mapping[str, Decimal] = field(default_factory=dict)


def spending(workspace: Workspace, loaded: Loaded) -> Spending:
    """Return what the records and the lock file have of a project. Raises SpecError, StateError."""
    records, log = workspace.snapshot(False), workspace.events(False)
    tags = {wanted.clip: wanted.tags for wanted in loaded.wanted}
    bought = [*_recorded(workspace.attempts(), log, tags), *_only_locked(records, workspace.lock_entries(), tags)]
    reused, saved = _reuse(records, log)
    return Spending(tuple(sorted(bought, key=lambda each: each.time)), reused, saved)


def _recorded(
    attempts: Sequence[Attempt], log: Sequence[LogEntry], tags: Mapping[str, tuple[str, ...]]
) -> Iterator[PaidRequest]:
    people = {entry.seq: str(entry.payload.get("by", "")) for entry in log if entry.type == "run"}
    begun = {entry.attempt: entry.payload for entry in log if entry.type == "begun"}
    for attempt in attempts:
        if not is_purchase(attempt):
            continue
        intent = begun.get(attempt.id, {})
        running = attempt.state in OPEN - _MADE or attempt.state is State.UNCERTAIN
        yield PaidRequest(
            clip=attempt.clip,
            take=attempt.take,
            provider=attempt.provider,
            model=attempt.model,
            currency=attempt.currency,
            estimate=_amount(intent.get("cost_micros", attempt.cost_micros)),
            cost=_amount(attempt.cost_micros),
            outcome="made" if attempt.state in _MADE else "running" if running else "failed",
            time=datetime.fromtimestamp(attempt.created, UTC).isoformat(timespec="seconds"),
            person=people.get(int(str(intent.get("run", 0))), ""),
            tags=tags.get(attempt.clip, ()),
            task=attempt.task,
            key=attempt.key,
            rehearsal=is_local(attempt.endpoint),
        )


def _only_locked(
    records: Snapshot, lines: Sequence[LockEntry], tags: Mapping[str, tuple[str, ...]]
) -> Iterator[PaidRequest]:
    """Yield what only the lock file says was bought: on another machine, or before a state was lost."""
    for line in lines:
        booked = records.booked.get((line.key, line.rehearsal), 0)
        if not is_purchase(line) or (line.cost_micros or 0) <= booked:
            continue
        amount = _amount((line.cost_micros or 0) - booked)
        yield PaidRequest(
            clip=line.clip,
            take=line.take,
            provider=line.provider,
            model=line.model,
            currency=line.currency,
            estimate=None,
            cost=amount,
            tags=tags.get(line.clip, ()),
            task=line.task,
            key=line.key,
            rehearsal=line.rehearsal,
        )


def _reuse(records: Snapshot, log: Sequence[LogEntry]) -> tuple[int, Mapping[str, Decimal]]:
    """Return how often a take was given a result that was not bought for it, and what those would have cost."""
    holds: dict[tuple[str, object], object] = {}
    given = Counter[str]()
    for entry in log:
        take = (entry.clip or str(entry.payload.get("clip", "")), entry.payload.get("take"))
        if entry.type == "bound" and holds.get(take) != entry.payload["key"]:
            holds[take] = entry.payload["key"]
            given[str(entry.payload["key"])] += 1
    bought = Counter(str(entry.payload["key"]) for entry in log if entry.type == "generation")
    saved, reused = dict[str, Decimal](), 0
    for key, count in given.items():
        result = records.generations.get(key)
        times = count - max(1, bought[key])
        if result is not None and result.cost_micros and times > 0:
            reused += times
            saved[result.currency] = saved.get(result.currency, Decimal(0)) + times * from_micros(result.cost_micros)
    return reused, saved


def _amount(micros: object) -> Decimal | None:
    return from_micros(micros) if type(micros) is int else None
