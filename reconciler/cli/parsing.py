"""Arguments that need more than typer's own types."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.diagnostics import ClipformError, UsageError

if TYPE_CHECKING:
    from reconciler.plan.model import Plan
    from reconciler.project.model import Loaded
    from reconciler.project.orders import Order
    from reconciler.project.saved_plan import SavedPlan
    from reconciler.providers.base import Mode


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


def plan_file(directory: Path, arguments: list[str], means_clips: Callable[[str], bool]) -> SavedPlan | None:
    """The saved plan, when the one argument names a file and not a clip: no clip's name holds a dot or a slash, and of
    any other name that both might have the clip is meant."""
    if len(arguments) != 1 or "[" in arguments[0]:
        return None
    name = arguments[0]
    path = directory / name
    if not path.is_file():
        return None
    from reconciler.project.saved_plan import read

    if {".", "/"} & set(name):
        return read(path)
    try:
        saved = read(path)
    except ClipformError:
        return None
    return None if means_clips(name) else saved


def picture_name(path: Path) -> Path:
    """Where a contact sheet goes. Raises UsageError for a name that is no picture's."""
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UsageError(f"--sheet writes a picture, and {path.name} is not named as one", help="--sheet sheet.png")
    return path


def one_clip(name: str, plan: Plan) -> str:
    """The one clip of a plan. Raises UsageError when the words meant several."""
    names = sorted({step.clip for step in plan.steps})
    if len(names) != 1:
        few = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
        raise UsageError(f"'{name}' means {len(names)} clips: {few}", help="name one of them")
    return names[0]


def require_named(loaded: Loaded, clip: str) -> None:
    """Raises UsageError for a name that no clip has."""
    if all(order.clip.name != clip for order in loaded.orders):
        raise UsageError(f"no clip is named '{clip}'", help="clipform status lists all clips")


def one_order(loaded: Loaded, clip: str, take: int | None) -> Order:
    """The order of a clip's take, the picked one if none is named. Raises UsageError when there is none."""
    require_named(loaded, clip)
    found = [order for order in loaded.orders if order.clip.name == clip]
    wanted = found[0].clip.spec.pick if take is None else take
    for order in found:
        if order.take == wanted:
            return order
    raise UsageError(f"{clip} has {len(found)} takes, not {wanted}")


def mode_named(word: str | None) -> Mode | None:
    """A mode by its word. Raises UsageError for a word that is none."""
    from reconciler.providers.base import Mode

    try:
        return None if word is None else Mode(word)
    except ValueError as error:
        raise UsageError(f"no mode '{word}'", help=f"modes: {', '.join(Mode)}") from error


def one_way(**ways: object) -> None:
    """Exactly one of several options. Raises UsageError for none, or for two that exclude each other."""
    given = [name for name, value in ways.items() if value not in (None, False)]
    if len(given) != 1:
        raise UsageError(f"say exactly one of {', '.join('--' + name for name in ways)}")
