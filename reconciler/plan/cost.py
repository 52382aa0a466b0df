"""What a generation should cost, and whether a plan may be afforded. Decimals only; an unknown price is never zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.plan.model import Action, Cost, Plan
from reconciler.records import from_micros

if TYPE_CHECKING:  # loads pydantic
    from reconciler.spec.model import Budget
    from reconciler.spec.model import Price as Row

SHORT_SIDES = {"480p": 480, "720p": 720, "1080p": 1080, "2k": 1440, "4k": 2160}
_FPS = 24
MICRO = Decimal("0.000001")


def estimate(
    rows: Sequence[Row], model: str, resolution: str | None, ratio: str | None, seconds: int | None, currency: str
) -> Cost:
    """The price of one generation by the first row that matches; amount None when none does or a fact is missing."""
    row = _row(rows, model, resolution)
    return Cost(None if row is None else _amount(row, resolution, ratio, seconds), currency)


def settled(rows: Sequence[Row], model: str, resolution: str | None, tokens: int | None) -> Decimal | None:
    """What a generation cost by the tokens that the provider reported; None where it is not billed by them."""
    row = _row(rows, model, resolution)
    if row is None or row.per_1k_tokens is None or tokens is None:
        return None
    return (row.per_1k_tokens * tokens / 1000).quantize(MICRO, ROUND_HALF_EVEN)


def _row(rows: Sequence[Row], model: str, resolution: str | None) -> Row | None:
    """The first row that matches."""
    for row in rows:
        if fnmatchcase(model, row.model) and row.resolution in (None, resolution):
            return row
    return None


def _amount(row: Row, resolution: str | None, ratio: str | None, seconds: int | None) -> Decimal | None:
    if row.per_clip is not None:
        return row.per_clip
    if seconds is None or seconds < 0:
        return None
    if row.per_second is not None:
        return row.per_second * seconds
    tokens = _tokens(resolution, ratio, seconds)
    if row.per_1k_tokens is None or tokens is None:
        return None
    return (row.per_1k_tokens * tokens / 1000).quantize(MICRO, ROUND_HALF_EVEN)


def _tokens(resolution: str | None, ratio: str | None, seconds: int) -> Decimal | None:
    """Ark's published formula: seconds x width x height x frames per second / 1024."""
    lines = SHORT_SIDES.get(resolution or "")
    wide, _, high = (ratio or "").partition(":")
    if lines is None or not (wide.isdigit() and high.isdigit()):
        return None
    short, long = Decimal(lines), Decimal(lines) * max(int(wide), int(high)) / min(int(wide), int(high))
    return seconds * short * long * _FPS / 1024


AT_HAND = frozenset({Action.NOOP, Action.RESTORE, Action.MOVE})
"""How a take comes by its picture when nothing is asked of a provider for it."""


def saved(prices: Iterable[Cost]) -> tuple[Decimal, int]:
    """What it would have cost more, had nothing been at hand: by today's price table, for every take that was asked for
    and got its picture (`AT_HAND`) without a request. A task that was paid for before and is collected now saves
    nothing: it is that purchase. Second: of how many takes nobody knows a price."""
    known = [price.amount for price in prices]
    return sum((amount for amount in known if amount is not None), Decimal(0)), known.count(None)


WAY_OUT = "raise the cap, or choose fewer clips: clipform apply CLIP…"


def warnings(plan: Plan, budget: Budget | None, spent: Mapping[str, int]) -> tuple[Diagnostic, ...]:
    """What apply will say of this plan by the project's own caps, where it refuses it."""
    found = objections(plan, budget, None, spent)
    text = f"apply refuses this plan: {'; '.join(found)}"
    return (Diagnostic("over-budget", text, None, WAY_OUT, Severity.WARNING),) if found else ()


def objections(
    plan: Plan, budget: Budget | None, max_cost: Decimal | None, spent: Mapping[str, int]
) -> tuple[str, ...]:
    """Why this plan must not be applied, in sentences; empty when it may. `spent` is settled plus reserved so far, in
    millionths by currency."""
    making = plan.generating()
    if not making:
        return ()
    found: list[str] = []
    caps = [("--max-cost", max_cost, Decimal(0))]
    if budget is not None:
        before = from_micros(spent.get(budget.currency, 0))
        caps += [("budget.per_apply", budget.per_apply, Decimal(0)), ("budget.total", budget.total, before)]
        paid = sum(1 for step in making if step.cost.amount != 0)
        if budget.clips_per_apply is not None and paid > budget.clips_per_apply:
            found.append(f"{paid} clips to pay for, budget.clips_per_apply is {budget.clips_per_apply}")
    capped = [(name, cap, before) for name, cap, before in caps if cap is not None]
    if capped and plan.unpriced():
        count = plan.unpriced()
        clips = f"{count} clip has" if count == 1 else f"{count} clips have"
        found.append(f"{clips} no known price (`prices` of the provider), and a cap on cost is set ({capped[0][0]})")
    for name, cap, before in capped:
        if plan.total() and plan.total() + before > cap:  # what is free may be made whatever was spent
            already = f" on top of {before} already spent" if before else ""
            found.append(f"the plan costs {plan.total()} {plan.currency}{already}, {name} is {cap}".replace("  ", " "))
    return tuple(found)
