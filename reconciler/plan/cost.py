"""Check a plan against its budgets. Decimals only; an unknown price is never zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from reconciler import money
from reconciler.diagnostics import Diagnostic, Severity
from reconciler.next_command import command
from reconciler.plan.model import Action, Cost, Plan

if TYPE_CHECKING:  # loads pydantic
    from reconciler.spec.model import Budget


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
