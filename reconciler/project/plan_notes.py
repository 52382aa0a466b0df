"""Add the results of look-ups of uncertain requests to a plan."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from reconciler.plan import remedies
from reconciler.plan.model import Plan, Reason, Step


def with_notes(plan: Plan, uncertain: Collection[str], listing: Collection[str], reasons: Mapping[str, str]) -> Plan:
    """Return the plan with a note at each uncertain step: the result of its look-up (`reasons`, by key), or that apply
    will look it up, which is then the first remedy, because it is free.

    `uncertain` has the keys of uncertain requests, `listing` the providers that list their tasks.
    """

    def has_note(step: Step) -> bool:
        return step.key in uncertain and (step.provider in listing or step.key in reasons) and bool(step.way_out)

    return replace(plan, steps=tuple(_note(step, reasons) if has_note(step) else step for step in plan.steps))


def _note(step: Step, reasons: Mapping[str, str]) -> Step:
    if step.key in reasons:
        return replace(step, detail=f"{step.detail}; looked up at {step.provider}: {reasons[step.key]}")
    clip = "" if step.reason is Reason.NOT_REFERENCED else f" {remedies.quote(step.clip)}"
    look_up = remedies.remedy(f"clipform apply{clip}", f"look the request up at {step.provider} (free)")
    detail = f"{step.detail}; will be looked up at {step.provider}"
    return replace(step, detail=detail, way_out=(look_up, *step.way_out))
