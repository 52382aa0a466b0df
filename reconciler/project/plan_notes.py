"""Adds to a plan what the last look-ups said about uncertain requests."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from reconciler.plan import remedies
from reconciler.plan.model import Plan, Reason, Step


def with_notes(plan: Plan, doubtful: Collection[str], listing: Collection[str], reasons: Mapping[str, str]) -> Plan:
    """A plan whose steps in doubt say what a look-up said (`reasons`, by key), or that apply will make one: then that
    is the first way out, for it is free.

    `doubtful` are the keys in doubt, `listing` the aliases of the providers that have a list.
    """

    def words(step: Step) -> Step:
        if step.key in reasons:
            return replace(step, detail=f"{step.detail}; looked up at {step.provider}: {reasons[step.key]}")
        apply = (
            "clipform apply" if step.reason is Reason.NOT_REFERENCED else f"clipform apply {remedies.quote(step.clip)}"
        )
        detail = f"{step.detail}; will be looked up at {step.provider}"
        return replace(step, detail=detail, way_out=(apply, *step.way_out))

    steps = (
        words(step)
        if step.key in doubtful and (step.provider in listing or step.key in reasons) and step.way_out
        else step
        for step in plan.steps
    )
    return replace(plan, steps=tuple(steps))
