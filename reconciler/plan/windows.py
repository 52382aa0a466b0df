"""Caps on a part of what a project buys: of a day, of a month, of the clips with a tag."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import accumulate, takewhile
from typing import TYPE_CHECKING

from reconciler import money
from reconciler.frozen import dataclass
from reconciler.plan.model import Plan, Wanted
from reconciler.records import LockEntry, Snapshot

if TYPE_CHECKING:  # loads pydantic
    from reconciler.spec.model import Budget


@dataclass(frozen=True, slots=True)
class Window:
    """A cap in millionths of the budget's currency, and what it counts: the purchases of one `period` ("day" or
    "month", of UTC, by the time of the intent), or of `clips`. `unrecorded` are millionths that only the lock file has
    of these clips; what it has carries no time."""

    name: str
    micros: int
    period: str = ""
    clips: frozenset[str] | None = None
    unrecorded: int = 0

    def since(self, now: float) -> float:
        """Return when the period began, in UTC seconds; 0 without a period."""
        day = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return {"day": day.timestamp(), "month": day.replace(day=1).timestamp()}.get(self.period, 0.0)

    def counts(self, clip: str) -> bool:
        """True if a purchase for this clip counts."""
        return self.clips is None or clip in self.clips


def windows(
    budget: Budget | None, wanted: Iterable[Wanted], records: Snapshot, locked: Mapping[str, LockEntry]
) -> tuple[Window, ...]:
    """Return the caps of a budget on days, months and tags. A clip has the tags that it has now."""
    if budget is None:
        return ()
    periods = (("day", budget.per_day), ("month", budget.per_month))
    capped = [Window(f"budget.per_{name}", money.to_micros(cap) or 0, name) for name, cap in periods if cap is not None]
    if not budget.per_tag:
        return tuple(capped)
    tags = {each.clip: each.tags for each in wanted}
    for tag, cap in sorted(budget.per_tag.items()):
        clips = frozenset(clip for clip, has in tags.items() if tag in has)
        lines = [line for line in locked.values() if line.clip in clips and not line.rehearsal]
        lines = [line for line in lines if line.currency in (budget.currency, "")]
        beyond = sum(max(0, (line.cost_micros or 0) - records.booked.get((line.key, False), 0)) for line in lines)
        capped.append(Window(f"budget.per_tag.{tag}", money.to_micros(cap) or 0, "", clips, beyond))
    return tuple(capped)


def objections(plan: Plan, spent: Iterable[tuple[Window, int]]) -> Iterator[str]:
    """Yield why a plan must not be applied, in sentences; `spent` has each cap, and the millionths it counts so far."""
    for window, micros in spent:
        steps = [step for step in plan.generating() if window.counts(step.clip) and step.cost.amount != 0]
        amounts = [step.cost.amount for step in steps]
        cost = sum((amount for amount in amounts if amount is not None), Decimal(0))
        already = money.from_micros(micros)
        if None in amounts:
            yield f"{amounts.count(None)} of the clips that {window.name} caps have no known price"
        elif steps and cost + already > money.from_micros(window.micros):
            on_top = f" on top of {money.plain(money.rounded(already))} already spent" if already else ""
            most = money.plain(money.from_micros(window.micros))
            text = f"what {window.name} counts costs {money.text(cost, plan.currency)}{on_top}, and the cap is {most}"
            yield f"{text}; {_fitting([amount or Decimal(0) for amount in amounts], window.micros - micros)}"


def _fitting(amounts: Sequence[Decimal], micros: int) -> str:
    """Say how many of these prices, in their order, fit into what a cap has left."""
    sums = accumulate(money.to_micros(amount) or 0 for amount in amounts)
    fitting = sum(1 for _ in takewhile(lambda total: total <= micros, sums))
    which, verb = {0: ("none", "fits"), 1: ("the first", "fits")}.get(fitting, (f"the first {fitting}", "fit"))
    return f"{which} of {len(amounts)} {verb}"
