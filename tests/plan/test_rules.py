"""What the rules of a policy forbid in a plan."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reconciler.diagnostics import Refused, Source
from reconciler.plan.model import Action, Cost, Plan, Reason, Step
from reconciler.plan.rules import RULES, require_allowed, violations
from reconciler.spec.values import PolicyRules

STEPS = {"kind": "ark", "model": "doubao-seedance-2-0-260128", "provider": "studio"}


def step(name: str, amount: str | None = "0.50", action: Action = Action.CREATE, **more: str) -> Step:
    cost = Cost(None if amount is None else Decimal(amount), "USD")
    return Step(name, 1, action, Reason.NEW, f"v1:{name}", cost=cost, **{**STEPS, **more})  # type: ignore[arg-type]


FREE = step("draft", "0", kind="draft", model="animatic")
IDLE = step("idle", "9", Action.NOOP, kind="fal")


@pytest.mark.parametrize(
    ("rules", "steps", "sentences"),
    [
        ({}, [step("a", "99")], []),
        ({"max_cost_per_clip": "0.50"}, [step("a"), FREE, IDLE], []),  # as much as it says is within it
        ({"max_cost_per_clip": "0.49"}, [step("a"), step("b", "0.4")], ["max_cost_per_clip is 0.49: a costs 0.50 USD"]),
        ({"max_cost_per_clip": "1"}, [step("a", None)], ["max_cost_per_clip is 1: a has no known price"]),
        ({"max_cost_per_clip": "0"}, [step("a"), FREE], ["max_cost_per_clip is 0: a costs 0.50 USD"]),
        ({"max_clips_per_apply": 1}, [FREE, step("a"), IDLE], []),
        ({"max_clips_per_apply": 1}, [step("a"), step("b")], ["max_clips_per_apply is 1: b is beyond that number"]),
        ({"models": ("doubao-*",)}, [step("a"), FREE, IDLE], []),
        ({"models": ("m", "doubao-1*")}, [step("a")], [f"models is m, doubao-1*: a asks {STEPS['model']}"]),
        ({"kinds": ("ark",)}, [step("a"), FREE, IDLE], []),
        ({"kinds": ("fal",)}, [step("a"), FREE], ["kinds is fal: a asks kind ark"]),
        ({"forbid": ("replace",)}, [step("a"), step("b", action=Action.RESTORE)], []),
        ({"forbid": ("replace",)}, [step("a", "0", Action.REPLACE)], ["forbid is replace: a would be replaced"]),
        (
            {"forbid": ("remove", "replace")},
            [step("a", "0", Action.REMOVE)],
            ["forbid is remove, replace: a would be removed"],
        ),
        (
            {"kinds": ("fal",)},
            [step(n) for n in "abcde"],
            ["kinds is fal: a asks kind ark, b asks kind ark, c asks kind ark, and 2 more"],
        ),
        (
            {"kinds": ("fal",), "models": ("m",)},
            [step("a")],
            [f"models is m: a asks {STEPS['model']}", "kinds is fal: a asks kind ark"],
        ),
    ],
)
def test_a_rule_names_what_breaks_it(rules: dict[str, Any], steps: list[Step], sentences: list[str]) -> None:
    rules = {**rules, **({"max_cost_per_clip": Decimal(most)} if (most := rules.get("max_cost_per_clip")) else {})}
    policy = PolicyRules(**rules, places={name: Source("p.yaml", 3, 5) for name in RULES})
    broken = list(violations(Plan(tuple(steps)), [policy]))
    assert [each.message for each in broken] == [f"policy.{sentence}" for sentence in sentences]
    assert all(each.source == Source("p.yaml", 3, 5) and each.help for each in broken)


def test_the_rules_of_every_policy_count_and_are_refused_together() -> None:
    plan = Plan((step("a"),))
    policies = [PolicyRules(kinds=("fal",)), PolicyRules(max_cost_per_clip=Decimal(1)), PolicyRules(models=("m",))]
    with pytest.raises(Refused) as error:
        require_allowed(list(violations(plan, policies)))
    assert error.value.code == "policy" and error.value.message.count("\n- policy.") == 2
    require_allowed(list(violations(replace(plan, steps=(FREE,)), policies)))


def test_every_rule_is_a_field_of_the_policy() -> None:
    assert {*RULES, "places"} == set(PolicyRules.__dataclass_fields__)
