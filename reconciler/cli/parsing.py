"""Arguments that need more than typer's own types."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.diagnostics import UsageError

if TYPE_CHECKING:
    from reconciler.engine.planfile import SavedPlan


def amount(text: str | None) -> Decimal | None:
    """An amount of money. Raises UsageError for what is no decimal of zero or more."""
    if text is None:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value < 0:
        raise UsageError(f"--max-cost must be an amount such as 2.50, not '{text}'")
    return value


def plan_file(directory: Path, arguments: list[str]) -> SavedPlan | None:
    """The saved plan, when the one argument names a file and not a clip: no clip's name holds a dot or a slash."""
    if len(arguments) != 1 or not ({".", "/"} & set(arguments[0])) or "[" in arguments[0]:
        return None
    path = directory / arguments[0]
    if not path.is_file():
        return None
    from reconciler.engine.planfile import read

    return read(path)
