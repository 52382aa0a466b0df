"""Join the takes of a clip that are made in the same way: people read and pay for a clip with all its takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

from reconciler.frozen import dataclass
from reconciler.plan.model import GENERATES, Action, Cost, Reason, Step
from reconciler.views import format


@dataclass(frozen=True, slots=True)
class StepGroup:
    """Steps of one clip that differ in their take only; most are a single step."""

    steps: tuple[Step, ...]

    @property
    def first(self) -> Step:
        """The step that speaks for all."""
        step, *others = self.steps
        output = step.output or next((other.output for other in others if other.output), None)
        return step if output == step.output else replace(step, output=output)

    @property
    def name(self) -> str:
        """The clip and how many takes, or the names of some of its takes."""
        step = self.steps[0]
        if len(self.steps) == step.takes > 1:
            return f"{step.clip} ({step.takes} takes)"
        return ", ".join(step.name for step in self.steps)

    @property
    def is_new(self) -> bool:
        """True if nothing is known about the clip but what it asks for."""
        return self.steps[0].action is Action.CREATE and self.steps[0].reason is Reason.NEW

    def total(self, currency: str) -> str:
        """Return what all its takes cost."""
        cost, count = self.steps[0].cost, len(self.steps)
        least = None if cost.least is None else cost.least * count
        amount = None if cost.amount is None else cost.amount * count
        return format.price(Cost(amount, cost.currency, least, cost.source), currency)

    def price(self, currency: str) -> str:
        """Return what all its takes cost, and how many they are."""
        count = len(self.steps)
        return (
            f"{self.total(currency)} for {count} takes"
            if count > 1 and self.steps[0].cost.amount
            else self.total(currency)
        )


def grouped(steps: Iterable[Step]) -> list[StepGroup]:
    """Return the steps in order, joined where they are takes of one clip that are generated in the same way."""
    return [StepGroup(tuple(group)) for _, group in groupby(steps, _alike)]


def _alike(step: Step) -> tuple[object, ...]:
    if step.action not in GENERATES:
        return (step.ident, step.action)
    return (step.clip, step.action, step.reason, step.changes, step.cost, step.server_defaults, step.provider)
