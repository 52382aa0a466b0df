"""What `freeze` and `thaw` did, as a sentence and as JSON values."""

from __future__ import annotations

from typing import Protocol

from reconciler.plan.model import Plan
from reconciler.spec.problems import listed
from reconciler.views.format import plan_total


class SeamsOf(Protocol):
    """The clip whose seams changed, its file, and the clips at their other side."""

    @property
    def name(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def sources(self) -> tuple[str, ...]: ...


def frozen(edit: SeamsOf, was_made: bool) -> tuple[str, dict[str, object]]:
    """`was_made`: each of the seams has a version to keep."""
    keeps = "it keeps the frame that was sent" if was_made else "it keeps the first frame that is sent"
    seam = f"the seam of {edit.name} to {listed(edit.sources, 'and')}"
    return f"{edit.file}: {seam} is frozen; {keeps}. Nothing is bought.", _data(edit, is_frozen=True)


def thawed(edit: SeamsOf, plan: Plan) -> tuple[str, dict[str, object]]:
    """`plan`: what apply would do for that alone."""
    buys = f"the next apply buys it again for {plan_total(plan)}" if plan.generating() else "that changes nothing now"
    text = f"{edit.file}: {edit.name} follows {listed(edit.sources, 'and')} again; {buys}."
    return text, _data(edit, is_frozen=False)


def _data(edit: SeamsOf, *, is_frozen: bool) -> dict[str, object]:
    return {"file": edit.file, "clip": edit.name, "frozen": is_frozen, "from": list(edit.sources)}
