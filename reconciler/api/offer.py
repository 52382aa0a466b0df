"""A plan that a program may have carried out, once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from reconciler.diagnostics import Diagnostic
from reconciler.frozen import dataclass
from reconciler.plan.model import Plan, Step
from reconciler.project.model import Planned
from reconciler.project.saved_plan import SavedPlan, read, review_digest

read_plan = read
"""Read a plan file."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan, and the fingerprint by which `apply` tells whether it still holds."""

    planned: Planned
    saved_as: Callable[[], SavedPlan]
    file: Path | None = None  # where it was saved: a policy may ask for its signature

    @property
    def plan(self) -> Plan:
        """The plan with its steps, warnings and demands."""
        return self.planned.plan

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is done, dependencies first, and what needs nothing."""
        return self.plan.steps

    @property
    def cost(self) -> Decimal:
        """The price of what is to be generated, at its upper end, in `currency`; without what has no price."""
        return self.plan.total()

    @property
    def currency(self) -> str:
        """The currency of the prices; empty if there is none."""
        return self.plan.currency

    @property
    def unpriced(self) -> int:
        """How many generations have no known price."""
        return self.plan.unpriced()

    @property
    def has_changes(self) -> bool:
        """True if `apply` would do anything."""
        return self.plan.has_changes()

    @property
    def digest(self) -> str:
        """The digest that people compare by eye, as in `plan --json`."""
        return review_digest(self.plan)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The warnings of the plan."""
        return self.plan.diagnostics

    def document(self) -> dict[str, object]:
        """Return the plan as `plan --json` prints it."""
        from reconciler.views import encode

        document = encode.plan(self.plan)
        return {**document, "actions": [encode.step(step, self.plan.currency) for step in self.plan.steps]}
