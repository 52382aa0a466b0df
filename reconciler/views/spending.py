"""Build what `cost` prints: purchases in groups, with estimate and actual. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from reconciler import money
from reconciler.frozen import dataclass
from reconciler.project.spending import PaidRequest, Spending
from reconciler.views.base import Section
from reconciler.views.format import SEPARATOR, plain_decimal

UNKNOWN = "not known"
GROUPINGS: Mapping[str, Callable[[PaidRequest], Sequence[str]]] = {
    "clip": lambda each: [each.clip],
    "tag": lambda each: each.tags or ["without a tag"],
    "day": lambda each: [each.time[:10]],
    "month": lambda each: [each.time[:7]],
    "provider": lambda each: [each.provider],
    "model": lambda each: [each.model],
    "person": lambda each: [each.person],
}
"""The groups that a purchase is in. A clip with several tags counts in each of them; the total counts it once."""

_COLUMNS = (
    *("time", "clip", "take", "provider", "model", "person", "outcome", "estimate", "cost", "currency", "task", "key"),
    "rehearsal",
)


@dataclass(frozen=True, slots=True)
class _Sum:
    """The purchases of one group in one currency."""

    purchases: int
    unpriced: int
    cost: Decimal
    estimate: Decimal | None  # of those with a known cost; None if one of them has none
    failed: int
    failed_cost: Decimal
    running: int


def report(spent: Spending, purchases: Sequence[PaidRequest], by: str) -> tuple[list[Section], dict[str, object]]:
    """Return purchases by group, then what all of them cost and what was saved, as sections and as data."""
    sections, groups, totals = [], [], []
    for currency in sorted({each.currency for each in purchases}):
        of_currency = [each for each in purchases if each.currency == currency]
        rows = _grouped(of_currency, by)
        total = _sum(of_currency)
        facts = [*((name, _line(sums, currency)) for name, sums in rows), ("total", _line(total, currency))]
        sections.append(Section(f"{currency or 'without a currency'} by {by}", tuple(facts)))
        groups += [{"name": name, **_data(sums, currency)} for name, sums in rows]
        totals.append(_data(total, currency))
    if not purchases:
        sections.append(Section("nothing was paid for", ()))
    if spent.reused:
        worth = ", ".join(money.text(amount, currency) for currency, amount in sorted(spent.saved.items()))
        text = f"{_number(spent.reused, 'result')} used again instead of bought{f': {worth}' if worth else ''}"
        sections.append(Section("saved", (("reused", text),)))
    saved = [{"amount": plain_decimal(value), "currency": name or None} for name, value in sorted(spent.saved.items())]
    return sections, {"by": by, "groups": groups, "totals": totals, "reused": spent.reused, "saved": saved}


def table(purchases: Iterable[PaidRequest]) -> str:
    """Return the purchases as CSV, one a line. A cell that a spreadsheet would run as a formula begins with a quote."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for each in purchases:
        writer.writerow([_cell(getattr(each, column)) for column in _COLUMNS])
    return text.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = plain_decimal(value) if isinstance(value, Decimal) else "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _grouped(purchases: Sequence[PaidRequest], by: str) -> list[tuple[str, _Sum]]:
    groups: dict[str, list[PaidRequest]] = {}
    for each in purchases:
        for name in GROUPINGS[by](each):
            groups.setdefault(name or UNKNOWN, []).append(each)
    return [(name, _sum(groups[name])) for name in sorted(groups)]


def _sum(purchases: Sequence[PaidRequest]) -> _Sum:
    priced = [each for each in purchases if each.cost is not None]
    estimates = [each.estimate for each in priced]
    failed = [each for each in purchases if each.outcome == "failed"]
    return _Sum(
        len(purchases),
        len(purchases) - len(priced),
        _total(each.cost for each in priced),
        None if None in estimates else _total(estimates),
        len(failed),
        _total(each.cost for each in failed),
        sum(1 for each in purchases if each.outcome == "running"),
    )


def _total(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))


def _line(sums: _Sum, currency: str) -> str:
    estimated = sums.estimate is not None and sums.estimate != sums.cost
    facts = [
        f"{plain_decimal(sums.cost)} {currency}".rstrip(),
        f"estimated {plain_decimal(sums.estimate)}" if estimated and sums.estimate is not None else "",
        _number(sums.purchases, "purchase"),
        f"{sums.unpriced} without a known price" if sums.unpriced else "",
        f"{sums.failed} without a video ({plain_decimal(sums.failed_cost)})" if sums.failed else "",
        f"{sums.running} running" if sums.running else "",
    ]
    return SEPARATOR.join(filter(None, facts))


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _data(sums: _Sum, currency: str) -> dict[str, object]:
    estimate = None if sums.estimate is None else plain_decimal(sums.estimate)
    return {
        "cost": {"amount": plain_decimal(sums.cost), "currency": currency or None, "unpriced": sums.unpriced},
        "estimate": estimate,
        "purchases": sums.purchases,
        "failed": {"purchases": sums.failed, "amount": plain_decimal(sums.failed_cost)},
        "running": sums.running,
    }
