"""Estimate prices and check a plan against its budgets. Decimals only; an unknown price is never zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from reconciler import money
from reconciler.diagnostics import Diagnostic, Severity
from reconciler.next_command import command
from reconciler.plan.model import Action, Cost, Plan

if TYPE_CHECKING:  # loads pydantic
    from reconciler.spec.model import Budget
    from reconciler.spec.model import Price as Row

SHORT_SIDES = {"480p": 480, "720p": 720, "1080p": 1080, "2k": 1440, "4k": 2160}
_FPS = 24
MICRO = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class PricedRequest:
    """The settings of a request that its price depends on; None where they are not known."""

    model: str
    resolution: str | None = None
    ratio: str | None = None
    seconds: int | None = None


def estimate(rows: Sequence[Row], request: PricedRequest, currency: str) -> Cost:
    """Return the price of a request by the first row that matches; amount None without one or if a fact is missing."""
    row = _row(rows, request.model, request.resolution)
    amount = None if row is None else _amount(row, request)
    return Cost(None if amount is None else money.bounded(amount), currency)


def bills_tokens(rows: Sequence[Row], model: str, resolution: str | None) -> bool:
    """True if the price table prices a model by the tokens that its provider reports."""
    row = _row(rows, model, resolution)
    return row is not None and row.per_1k_tokens is not None


def settled(rows: Sequence[Row], model: str, resolution: str | None, tokens: int) -> Decimal | None:
    """Return the price of the tokens that a provider reported; None without a price by tokens, or out of bounds."""
    row = _row(rows, model, resolution)
    if row is None or row.per_1k_tokens is None:
        return None
    return money.bounded((row.per_1k_tokens * tokens / 1000).quantize(MICRO, ROUND_HALF_EVEN))


def _row(rows: Sequence[Row], model: str, resolution: str | None) -> Row | None:
    for row in rows:
        if fnmatchcase(model, row.model) and row.resolution in (None, resolution):
            return row
    return None


def _amount(row: Row, request: PricedRequest) -> Decimal | None:
    if row.per_clip is not None:
        return row.per_clip
    if request.seconds is None or request.seconds < 0:
        return None
    if row.per_second is not None:
        return row.per_second * request.seconds
    tokens = _tokens(request.resolution, request.ratio, request.seconds)
    if row.per_1k_tokens is None or tokens is None:
        return None
    return (row.per_1k_tokens * tokens / 1000).quantize(MICRO, ROUND_HALF_EVEN)


def _tokens(resolution: str | None, ratio: str | None, seconds: int) -> Decimal | None:
    """Return the tokens by Ark's published formula: seconds x width x height x frames per second / 1024."""
    lines = SHORT_SIDES.get(resolution or "")
    wide, _, high = (ratio or "").partition(":")
    if lines is None or not (wide.isdigit() and high.isdigit()):
        return None
    short, long = Decimal(lines), Decimal(lines) * max(int(wide), int(high)) / min(int(wide), int(high))
    return seconds * short * long * _FPS / 1024


WITHOUT_REQUEST = frozenset({Action.NOOP, Action.RESTORE, Action.MOVE})
"""The actions that use an existing video instead of a request."""


def saved(prices: Iterable[Cost]) -> tuple[Decimal, int]:
    """Return what the takes with these prices would have cost with an empty state, and how many have no price.

    They are the selected takes whose action is in `WITHOUT_REQUEST`, at today's prices. A task that was paid for before
    and is fetched now saves nothing: it is that purchase.
    """
    amounts = [price.amount for price in prices]
    return sum((amount for amount in amounts if amount is not None), Decimal(0)), amounts.count(None)


def over_budget_help() -> str:
    """Return what to do about a plan that costs more than the budget."""
    return f"raise the limit, or select fewer clips: {command('apply', 'CLIP')}"


def warnings(plan: Plan, budget: Budget | None, spent: Mapping[str, int]) -> tuple[Diagnostic, ...]:
    """Return the warning that apply will refuse this plan by the project's own budget; empty if it will not."""
    reasons = objections(plan, budget, None, spent)
    text = f"apply refuses this plan: {'; '.join(reasons)}"
    return (Diagnostic("over-budget", text, None, over_budget_help(), Severity.WARNING),) if reasons else ()


def objections(
    plan: Plan, budget: Budget | None, max_cost: Decimal | None, spent: Mapping[str, int]
) -> tuple[str, ...]:
    """Return why this plan must not be applied, in sentences; empty if it may. `spent` is settled plus reserved so far,
    in millionths by currency."""
    steps = plan.generating()
    if not steps:
        return ()
    reasons: list[str] = []
    caps = [("--max-cost", max_cost, Decimal(0))]
    if budget is not None:
        already = money.from_micros(spent.get(budget.currency, 0))
        caps += [("budget.per_apply", budget.per_apply, Decimal(0)), ("budget.total", budget.total, already)]
        paid = sum(1 for step in steps if step.cost.amount != 0)
        if budget.clips_per_apply is not None and paid > budget.clips_per_apply:
            reasons.append(f"{paid} clips to pay for, budget.clips_per_apply is {budget.clips_per_apply}")
    capped = [(name, cap, already) for name, cap, already in caps if cap is not None]
    if capped and plan.unpriced():
        count = plan.unpriced()
        clips = f"{count} clip has" if count == 1 else f"{count} clips have"
        reasons.append(f"{clips} no known price (`prices` of the provider), and a cap on cost is set ({capped[0][0]})")
    for name, cap, already in capped:
        if plan.total() and plan.total() + already > cap:  # a free plan is allowed whatever was spent
            sum_text = f" on top of {money.plain(already)} already spent" if already else ""
            reasons.append(
                f"the plan costs {money.text(plan.total(), plan.currency)}{sum_text}, {name} is {money.plain(cap)}"
            )
    return tuple(reasons)
