"""Small words that several views share: times, ages, amounts, counts."""

from __future__ import annotations

from decimal import Decimal

from reconciler.plan.model import Action, Plan

_ORDER = ("create", "replace", "resume", "restore", "move", "remove", "blocked")


def seconds(value: float) -> str:
    """A duration as people say it: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if value < 10:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def whole(value: float) -> str:
    """The same in whole seconds, for what moves on while it is looked at."""
    return f"{int(value)} s" if value < 60 else seconds(int(value))


def age(value: float | None) -> str:
    """How long ago, in one unit."""
    if value is None:
        return ""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if value >= size:
            return f"{int(value // size)} {unit}"
    return f"{max(0, int(value))} s"


def money(amount: Decimal | None, currency: str) -> str:
    """An amount with two places at least; "unpriced" when nobody knows it, "free" when it is nothing."""
    if amount is None:
        return "unpriced"
    if amount == 0:
        return "free"
    text = plain_decimal(amount)
    return f"{text}{'' if '.' in text else '.00'} {currency}".rstrip()


def total(known: Decimal, unpriced: int, currency: str) -> str:
    """A sum of which some parts may have no known price."""
    if not unpriced:
        return money(known, currency)
    return f"{money(known, currency)} and {unpriced} unpriced" if known else f"{unpriced} unpriced"


def plain_decimal(amount: Decimal) -> str:
    """Without an exponent, and with at least two places once there is a fraction."""
    text = f"{amount:f}"
    if "." not in text:
        return text
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def clips(count: int) -> str:
    """`1 clip`, `2 clips`."""
    return f"{count} clip" + ("" if count == 1 else "s")


def summary_line(plan: Plan) -> str:
    """The one line under a plan: counts, cost, time."""
    counts = plan.counts()
    parts = [
        f"{counts[name]} to {name}" if name != "blocked" else f"{counts[name]} blocked"
        for name in _ORDER
        if counts[name]
    ]
    if not parts:
        return f"Nothing to do: {clips(counts[Action.NOOP])} up to date."
    parts.append(f"{counts[Action.NOOP]} up to date")
    line = f"Plan: {', '.join(parts)}."
    if plan.generating():
        line += f" Cost: {total(plan.total(), plan.unpriced(), plan.currency)}."
    if plan.expected is not None:
        line += f" About {seconds(plan.expected)}."
    return line
