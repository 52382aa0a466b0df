"""Parsing and checks of arguments that typer's types do not cover."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.diagnostics import ClipformError, Refused, UsageError
from reconciler.money import parse

if TYPE_CHECKING:
    from reconciler import SavedPlan
    from reconciler.plan.model import Plan
    from reconciler.providers.base import Mode


_NUMBER = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?")
_AGES = {"h": 3600.0, "d": 86_400.0, "w": 604_800.0}


def amount(text: str | None) -> Decimal | None:
    """Return an amount of money. Raises UsageError for any other text."""
    if text is None:
        return None
    value = parse(text)
    if value is None:
        raise UsageError(f"--max-cost must be an amount such as 2.50, not '{text}'")
    return value


def require_affordable(plan: Plan, max_cost: Decimal | None) -> None:
    """Raise Refused for a plan that costs more, or may."""
    from reconciler.plan.cost import objections, over_budget_help

    if reasons := objections(plan, None, max_cost, {}):
        raise Refused("; ".join(reasons), help=over_budget_help(plan), code="budget")


def seconds(text: str | None, option: str) -> float | None:
    """Return a length of time, at most a year. Raises UsageError for any other text."""
    if text is None:
        return None
    from reconciler.spec.scalars import Unfit, span

    try:
        return min(float(span(text)), 366 * 86400.0)
    except Unfit as error:
        raise UsageError(f"{option} {error}") from error


def film_time(text: str) -> Fraction:
    """Return a time of a film in seconds, written as 12.5, 00:12 or 1:02:03. Raises UsageError for any other text."""
    parts, total = text.split(":"), Fraction(0)
    for place, part in enumerate(parts):
        if len(parts) > 3 or not _NUMBER.fullmatch(part) or (place and Fraction(part) >= 60):
            raise UsageError(f"--at must be a time such as 00:12 or 12.5, not '{text}'")
        total = total * 60 + Fraction(part)
    return total


def age(text: str | None) -> float | None:
    """Return an age such as `30d` in seconds. Raises UsageError for any other text."""
    if text is None:
        return None
    number, unit = text[:-1], _AGES.get(text[-1:])
    if unit is None or not (number.isascii() and number.isdecimal() and len(number) < 7):
        raise UsageError(f"an age is a number and one of {', '.join(_AGES)}, such as 30d, not '{text}'")
    return int(number) * unit


def since_time(text: str | None, now: float) -> str:
    """Return the time of a date, or of an age such as `30d`, as ISO 8601 in UTC; empty without a text. Raises
    UsageError for any other text."""
    from datetime import UTC, date, datetime

    if text is None:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        seconds_ago = age(text)
    return datetime.fromtimestamp(now - (seconds_ago or 0), UTC).isoformat(timespec="seconds")


def plan_file(directory: Path, arguments: list[str], means_clips: Callable[[str], bool]) -> SavedPlan | None:
    """Return the saved plan if the only argument names a plan file, else None.

    A name with a dot or slash cannot be a clip. If any other name fits both a clip and a file, the clip is meant.
    """
    if len(arguments) != 1 or "[" in arguments[0]:
        return None
    name = arguments[0]
    path = directory / name
    if not path.is_file():
        return None
    from reconciler import read_plan

    if {".", "/"} & set(name):
        return read_plan(path)
    try:
        saved = read_plan(path)
    except ClipformError:
        return None
    return None if means_clips(name) else saved


def picture_name(path: Path) -> Path:
    """Return the path of a contact sheet. Raises UsageError unless it ends in .png, .jpg or .jpeg."""
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UsageError(f"--sheet must name a .png or .jpg file, not {path.name}", help="--sheet sheet.png")
    return path


def one_clip(name: str, plan: Plan) -> str:
    """Return the only clip of a plan. Raises UsageError if there are several."""
    return only_one(name, sorted({step.clip for step in plan.steps}))


def only_one(pattern: str, names: Sequence[str]) -> str:
    """Return the only clip that a pattern selects, which may have a vendor's draft. Raises UsageError if there are
    several."""
    from reconciler.spec.vendor_drafts import is_vendor_draft

    finals = [name for name in names if not is_vendor_draft(name)]
    names = finals if len(finals) == 1 else names
    if len(names) == 1:
        return names[0]
    few = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
    raise UsageError(f"'{pattern}' matches {len(names)} clips: {few}", help="choose one of them")


def clip_and_take(name: str, take: int | None = None) -> tuple[str, int | None]:
    """Return the clip and take of a name such as `hero#2`; without a mark, `take`. Raises UsageError for two takes."""
    clip, mark, number = name.rpartition("#")
    if not (mark and number.isascii() and number.isdecimal()):
        return name, take
    if take not in (None, int(number)):
        raise UsageError(f"{name} names take {int(number)}, and --take {take}", help="name one of them")
    return clip, int(number)


def mode_named(word: str | None) -> Mode | None:
    """Return the mode with this name. Raises UsageError for an unknown one."""
    from reconciler.providers.base import Mode

    try:
        return None if word is None else Mode(word)
    except ValueError as error:
        raise UsageError(f"unknown mode '{word}'", help=f"modes: {', '.join(Mode)}") from error


def require_one(**options: object) -> None:
    """Raise UsageError unless exactly one of these options is given."""
    given = [name for name, value in options.items() if value not in (None, False)]
    if len(given) != 1:
        raise UsageError(f"choose exactly one of {', '.join('--' + name for name in options)}")
