"""Format times, ages, amounts and counts for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from reconciler import money
from reconciler.events import Outcome
from reconciler.next_command import command
from reconciler.plan.cascades import heavy
from reconciler.plan.model import GENERATES, Action, Cascade, Cost, LookChange, Plan, Step
from reconciler.spec.problems import listed

SEPARATOR = " · "
"""Between short facts on one line."""

_ORDER = ("create", "replace", "resume", "restore", "move", "assemble", "remove", "blocked")


def seconds(value: float) -> str:
    """Return a duration such as 0.4 s, 12 s, 3 min 20 s or 2 h 5 min."""
    if value < 10:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def whole(value: float) -> str:
    """Return a duration in whole seconds, for displays that redraw every second."""
    return f"{int(value)} s" if value < 60 else seconds(int(value))


def ordinal(number: int) -> str:
    """Return a number such as 1st, 2nd, 3rd, 4th or 11th."""
    teen = 10 <= number % 100 < 20
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def age(value: float | None) -> str:
    """Return an age in one unit, such as 3 h; empty for None."""
    if value is None:
        return ""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if value >= size:
            return f"{int(value // size)} {unit}"
    return f"{max(0, int(value))} s"


def amount(most: Decimal | None, currency: str, least: Decimal | None = None) -> str:
    """Return an amount, or a range up to it; of a range whose ends read alike only the upper one."""
    text = money.text(most, currency)
    if least is None or most is None or money.rounded(least, most) == money.rounded(most):
        return text
    return f"{money.plain(money.rounded(least, most))}–{text}"


def price(cost: Cost, currency: str) -> str:
    """Return the price of one clip; `currency` is for a price that names none."""
    text = amount(cost.amount, cost.currency or currency, cost.least)
    return f"{text} ({cost.source})" if cost.source else text


def plan_total(plan: Plan) -> str:
    """Return what a plan costs."""
    return total(plan.total(), plan.unpriced(), plan.currency, plan.least())


def total(known: Decimal, unpriced: int, currency: str, least: Decimal | None = None) -> str:
    """Return a sum and how many of its parts have no price."""
    if not unpriced:
        return amount(known, currency, least)
    return f"{amount(known, currency, least)} and {unpriced} unpriced" if known else f"{unpriced} unpriced"


def micros(amount: int | None) -> Decimal | None:
    """Return millionths as an amount."""
    return None if amount is None else money.from_micros(amount)


def utc(seconds: float) -> str:
    """Return a Unix time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(seconds: float) -> str:
    """Return the time of day of a Unix time, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M} UTC"


def plain_decimal(amount: Decimal) -> str:
    """Return an amount for programs: as people read it, and whole if it has no decimals."""
    text = f"{amount:f}"
    return money.plain(amount) if "." in text else text


def clips(count: int, takes: int = 0) -> str:
    """Return a count such as `1 clip`, `2 clips` or, where there are more takes than clips, `2 clips (3 takes)`."""
    return f"{count} clip" + ("" if count == 1 else "s") + (f" ({takes} takes)" if takes > count else "")


def counted(items: Iterable[Step | Outcome]) -> str:
    """Return a count of takes by their clips: `3`, or `2 clips (3 takes)`."""
    names = [item.clip for item in items]
    count = len(set(names))
    return str(count) if count == len(names) else clips(count, len(names))


def summary_line(plan: Plan) -> str:
    """Return the last line of a plan: counts, cost, time."""
    steps: dict[str, list[Step]] = {action.value: [] for action in Action}
    for step in plan.steps:
        steps[step.action].append(step)
    parts = [f"{counted(steps[n])} {n if n == 'blocked' else f'to {n}'}" for n in _ORDER if steps[n]]
    ready = steps[Action.NOOP]
    if not parts:
        return f"Nothing to do: {clips(len({step.clip for step in ready}), len(ready))} up to date."
    parts.append(f"{counted(ready)} up to date")
    line = f"Plan: {', '.join(parts)}."
    if plan.generating():
        line += f" Cost: {plan_total(plan)}."
    if plan.expected is not None:
        line += f" About {seconds(plan.expected)}."
    return line


def look_line(change: LookChange, currency: str) -> str:
    """Return which looks are all that changed in which clips, and what these cost."""
    looks, names = change.looks, list(dict.fromkeys(step.clip for step in change.steps))
    subject = f"Look {looks[0]} is" if len(looks) == 1 else f"Looks {listed(looks, 'and')} are"
    where = f"{clips(len(names), len(change.steps))} ({listed(names, 'and')})"
    return f"{subject} all that changed in {where}. Cost: {plan_total(Plan(change.steps, currency=currency))}."


def cascade_line(cascade: Cascade, currency: str) -> str:
    """Return how many clips only follow others that change, and what they cost."""
    one = len(cascade.causes) == 1
    verb = ("changes" if one else "change") if cascade.is_planned else "changed"
    many = clips(len(cascade.clips), len(cascade.steps))
    price = plan_total(Plan(cascade.steps, currency=currency))
    plus = "+" if price[:1].isdigit() and not price.endswith("unpriced") else ""
    follow = f"{'follows' if len(cascade.clips) == 1 else 'follow'} {'it' if one else 'them'}"
    freeze = f" (freeze the seam: {command('freeze', cascade.seams[0])})" if len(cascade.seams) == 1 else ""
    return f"{listed(cascade.causes, 'and')} {verb}; {many} {follow}: {plus}{price}{freeze}"


def cascade_lines(plan: Plan) -> Iterator[str]:
    """Yield a line for each cascade that costs something."""
    paid = (each for each in plan.cascades if any(step.cost.amount != 0 for step in each.steps))
    return (cascade_line(each, plan.currency) for each in paid)


def heavy_line(plan: Plan) -> str:
    """Return a sentence to go before a question: that clips which only follow others are most of what a plan costs.
    Empty if they are not."""
    paid = next((each for each in heavy(plan) if any(step.cost.amount != 0 for step in each.steps)), None)
    if paid is None:
        return ""
    return f"Most of the cost is for clips that only follow: {cascade_line(paid, plan.currency)}.\n"


def moved_line(moved: Sequence[tuple[str, str]]) -> str:
    """Return which clips keep the records of their former names."""
    names = listed([f"{former} → {present}" for former, present in moved], "and")
    return f"Moved: {names}. What is on record goes with the name."


def undone(name: str, steps: Sequence[Step], file: str, fields: Sequence[str], since: float) -> str:
    """Return what was written to go back to an earlier version, and what the next apply does."""
    text = f"{file}: {name} is back at its version of {utc(since)} ({', '.join(fields)})."
    lost = tuple(step for step in steps if step.action in GENERATES)
    video, they = ("Its video is", "it") if len(steps) == 1 else ("Its videos are", "them")
    if lost:
        cost = plan_total(Plan(lost, currency=lost[0].cost.currency))
        some = video if len(lost) == len(steps) else f"{len(lost)} of its videos are"
        return f"{text} {some} no longer stored here; {command('apply')} would generate {they} for {cost}."
    if all(step.action is Action.NOOP for step in steps):
        return f"{text} {video} in place."
    return f"{text} {command('apply')} restores {they} (free)."
