"""The rules of a policy, applied to a plan. Pure.

Each rule is one line of `RULES`: a field of `policy`, the steps that break it, and what to do. What is free breaks none
of the first four: they are about purchases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from reconciler import money
from reconciler.diagnostics import Diagnostic, Refused
from reconciler.frozen import dataclass
from reconciler.plan.model import Plan, Step
from reconciler.spec.values import PolicyRules

CODE = "policy"
_NAMED = 3  # steps that a sentence names


@dataclass(frozen=True, slots=True)
class _Rule:
    broken: Callable[[PolicyRules, Plan], Sequence[Step]]
    fault: Callable[[Step], str]  # what is wrong with one of these steps
    help: str


def _paid(plan: Plan) -> list[Step]:
    return [step for step in plan.generating() if step.cost.amount != 0]


def _too_dear(rules: PolicyRules, plan: Plan) -> Sequence[Step]:
    most = rules.max_cost_per_clip
    return [s for s in _paid(plan) if most is not None and (s.cost.amount is None or s.cost.amount > most)]


def _too_many(rules: PolicyRules, plan: Plan) -> Sequence[Step]:
    most = rules.max_clips_per_apply
    return () if most is None else _paid(plan)[most:]


def _other_models(rules: PolicyRules, plan: Plan) -> Sequence[Step]:
    return [s for s in _paid(plan) if rules.models and not any(fnmatchcase(s.model, name) for name in rules.models)]


def _other_kinds(rules: PolicyRules, plan: Plan) -> Sequence[Step]:
    return [s for s in _paid(plan) if rules.kinds and s.kind not in rules.kinds]


def _forbidden(rules: PolicyRules, plan: Plan) -> Sequence[Step]:
    return [step for step in plan.changes() if step.action.value in rules.forbid]


def _price(step: Step) -> str:
    amount = step.cost.amount
    return "has no known price" if amount is None else f"costs {money.text(amount, step.cost.currency)}"


_LEAVE_OUT = "or leave them out: --exclude CLIP"

RULES: Mapping[str, _Rule] = {
    "max_cost_per_clip": _Rule(_too_dear, _price, f"make them shorter or smaller, {_LEAVE_OUT}"),
    "max_clips_per_apply": _Rule(_too_many, lambda _: "is beyond that number", "select fewer clips: apply CLIP"),
    "models": _Rule(_other_models, lambda step: f"asks {step.model}", f"choose one of these models, {_LEAVE_OUT}"),
    "kinds": _Rule(_other_kinds, lambda step: f"asks kind {step.kind}", f"choose another provider, {_LEAVE_OUT}"),
    "forbid": _Rule(_forbidden, lambda step: f"would be {step.action.value}d", f"undo the edit, {_LEAVE_OUT}"),
}
"""Every rule, by its field of `policy`."""


def violations(plan: Plan, policies: Sequence[PolicyRules]) -> Iterator[Diagnostic]:
    """Yield an error for each rule that a plan breaks, with the place of the rule."""
    for rules in policies:
        for name, rule in RULES.items():
            if steps := rule.broken(rules, plan):
                faults = [f"{step.name} {rule.fault(step)}" for step in steps[:_NAMED]]
                more = f", and {len(steps) - _NAMED} more" if len(steps) > _NAMED else ""
                text = f"policy.{name} is {_limit(getattr(rules, name))}: {', '.join(faults)}{more}"
                yield Diagnostic(CODE, text, rules.places.get(name), rule.help)


def require_allowed(broken: Sequence[Diagnostic], *, are_shown: bool = False) -> None:
    """Raise Refused if a plan breaks rules, naming them unless they `are_shown` already."""
    if broken:
        lines = [f"- {each.source}: {each.message}" if each.source else f"- {each.message}" for each in broken]
        text = "\n".join(["the policy forbids this plan", *([] if are_shown else lines)])
        raise Refused(text, help="" if are_shown else broken[0].help, code=CODE)


def _limit(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
