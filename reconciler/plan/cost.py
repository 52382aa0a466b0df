"""Check a plan against its budgets. Decimals only; an unknown price is never zero."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from reconciler import money
from reconciler.diagnostics import Diagnostic, Severity
from reconciler.next_command import command
from reconciler.plan.locked import facts_of
from reconciler.plan.model import Action, Cost, Plan
from reconciler.providers.base import LOCAL
from reconciler.records import Attempt, LockEntry, Money, Snapshot

if TYPE_CHECKING:  # loads pydantic
    from reconciler.spec.model import Budget


WITHOUT_REQUEST = frozenset({Action.NOOP, Action.RESTORE, Action.MOVE})
"""The actions that use an existing video instead of a request."""


_NOTHING = (0, "")


def saved(prices: Iterable[Cost]) -> tuple[Decimal, int]:
    """Return what the takes with these prices would have cost with an empty state, and how many have no price.

    They are the selected takes whose action is in `WITHOUT_REQUEST`, at today's prices. A task that was paid for before
    and is fetched now saves nothing: it is that purchase.
    """
    amounts = [price.amount for price in prices]
    return sum((amount for amount in amounts if amount is not None), Decimal(0)), amounts.count(None)


def is_purchase(record: Attempt | LockEntry) -> bool:
    """True for what was paid for, or may be. A draft is one only if it cost something."""
    is_released = isinstance(record, Attempt) and record.money is Money.RELEASED
    return not is_released and (record.kind != LOCAL or bool(record.cost_micros))


def over_budget_help(plan: Plan) -> str:
    """Return what to do about a plan that the budget does not allow."""
    limit = f"raise the limit, or select fewer clips: {command('apply', 'CLIP')}"
    return f"add a row to the provider's `prices`, or {limit}" if plan.unpriced() else limit


def spent_so_far(snapshot: Snapshot, locked: Mapping[str, LockEntry], *, rehearsing: bool = False) -> Mapping[str, int]:
    """Return what the project is known to have spent, in millionths by currency.

    That is what the records hold, and what `locked`, the lock file by key, has or had beyond them: what another machine
    bought, or a state that was lost. A rehearsal counts for others only (`rehearsing`): nothing tells it from a real
    service behind an address of this machine.
    """
    sums = defaultdict(int, snapshot.spent)
    for currency, micros in snapshot.rehearsed.items():
        sums[currency] -= 0 if rehearsing else micros
    facts = facts_of(locked)
    lines = {(key, key in facts.rehearsals): amount for key, amount in facts.costs.items()}
    for bought in lines.keys() | snapshot.counted.keys():
        micros, currency = max(lines.get(bought, _NOTHING), snapshot.counted.get(bought, _NOTHING))
        if rehearsing or not bought[1]:
            sums[currency] += max(0, micros - snapshot.booked.get(bought, 0))
    return sums


def counted(budget: Budget, spent: Mapping[str, int]) -> int:
    """Return the part of `spent` that `budget.total` counts: in its currency, or bought while no budget named one."""
    return sum(spent.get(currency, 0) for currency in {budget.currency, ""})


def warnings(
    plan: Plan, budget: Budget | None, spent: Mapping[str, int], others: Sequence[str] = ()
) -> Iterator[Diagnostic]:
    """Yield why apply will refuse this plan by the project's own budget, and what the budget cannot count. `others`
    are reasons of other caps."""
    reasons = (*objections(plan, budget, None, spent), *others)
    if reasons:
        text = f"apply refuses this plan: {'; '.join(reasons)}"
        yield Diagnostic("over-budget", text, None, over_budget_help(plan), Severity.WARNING)
    if budget is None or budget.total is None or not plan.total():
        return
    foreign = [(name, micros) for name, micros in sorted(spent.items()) if micros and name not in (budget.currency, "")]
    if foreign:
        sums = ", ".join(money.text(money.from_micros(micros), name) for name, micros in foreign)
        text = f"budget.total is in {budget.currency} and does not count what was paid in another currency: {sums}"
        yield Diagnostic("other-currency", text, None, "lower the limit by what that is worth", Severity.WARNING)


def objections(
    plan: Plan, budget: Budget | None, max_cost: Decimal | None, spent: Mapping[str, int]
) -> tuple[str, ...]:
    """Return why this plan must not be applied, in sentences; empty if it may. `spent` is that of `spent_so_far`."""
    steps = plan.generating()
    if not steps:
        return ()
    reasons: list[str] = []
    caps = [("--max-cost", max_cost, Decimal(0))]
    if budget is not None:
        already = money.from_micros(counted(budget, spent))
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
            sum_text = f" on top of {money.plain(money.rounded(already))} already spent" if already else ""
            reasons.append(
                f"the plan costs {money.text(plan.total(), plan.currency)}{sum_text}, {name} is {money.plain(cap)}"
            )
    return tuple(reasons)
