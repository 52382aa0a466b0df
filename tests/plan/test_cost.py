"""When a plan may not be afforded."""

from __future__ import annotations

from decimal import Decimal

import pytest

from reconciler.diagnostics import Severity
from reconciler.plan.cost import objections, saved, warnings
from reconciler.plan.model import Action, Cost, Plan, Reason, Step
from reconciler.spec.model import Budget

D = Decimal


def plan(*amounts: str | None, action: Action = Action.CREATE) -> Plan:
    """A plan of so many generations at these prices."""
    steps = [
        Step(f"c{i}", 1, action, Reason.NEW, f"v1:{i}", cost=Cost(None if a is None else D(a), "USD"))
        for i, a in enumerate(amounts)
    ]
    return Plan(tuple(steps), currency="USD")


def budget(
    per_apply: str | None = None, total: str | None = None, clips: int | None = None, currency: str = "USD"
) -> Budget:
    caps = {"per_apply": per_apply and D(per_apply), "total": total and D(total), "clips_per_apply": clips}
    return Budget.model_construct(currency=currency, **caps)


def micros(amount: str) -> dict[str, int]:
    return {"USD": int(D(amount) * 10**6), "EUR": 10**12}


@pytest.mark.parametrize(
    ("amounts", "budget", "max_cost", "spent", "said"),
    [
        (("0.5", "0.5"), None, None, "0", ()),
        (("0.5", None), None, None, "0", ()),  # nobody set a cap
        (("0.5", "0.5"), budget("1"), None, "0", ()),  # as much as the cap is within it
        (("0.1",) * 3, budget("0.3"), None, "0", ()),  # and 3 x 0.1 is 0.3
        (("0.5", "0.51"), budget("1"), None, "0", ("the plan costs 1.01 USD, budget.per_apply is 1.00",)),
        (("0.5",), None, "0.49", "0", ("the plan costs 0.50 USD, --max-cost is 0.49",)),
        (("0.5",), None, "0", "0", ("the plan costs 0.50 USD, --max-cost is 0.00",)),
        (("0.5",), budget(total="10"), None, "9.5", ()),
        (
            ("0.5",),
            budget(total="10"),
            None,
            "9.51",
            ("the plan costs 0.50 USD on top of 9.51 already spent, budget.total is 10.00",),
        ),
        (("0.5",), budget(per_apply="1"), None, "99", ()),  # what was spent before is no matter of one apply
        (
            ("0.5", None, None),
            budget("10"),
            None,
            "0",
            ("2 clips have no known price (`prices` of the provider), and a cap on cost is set (budget.per_apply)",),
        ),
        (
            (None,),
            None,
            "5",
            "0",
            ("1 clip has no known price (`prices` of the provider), and a cap on cost is set (--max-cost)",),
        ),
        ((None,), budget(clips=1), None, "0", ()),  # a cap on clips needs no price
        (("1",) * 3, budget(clips=2), None, "0", ("3 clips to pay for, budget.clips_per_apply is 2",)),
        (("0",) * 3, budget(clips=2), None, "0", ()),  # what is free is no purchase
        (("0", "0"), budget("0", "1"), "0", "5", ()),  # what is free may be made, though the money is gone
    ],
)
def test_a_plan_beyond_a_cap_is_refused_in_words(
    amounts: tuple[str | None, ...], budget: Budget | None, max_cost: str | None, spent: str, said: tuple[str, ...]
) -> None:
    assert objections(plan(*amounts), budget, None if max_cost is None else D(max_cost), micros(spent)) == said


def test_a_plan_says_beforehand_that_apply_will_refuse_it() -> None:
    said = next(warnings(plan("0.5"), budget(total="10"), micros("9.51")))
    assert (said.code, said.severity) == ("over-budget", Severity.WARNING)
    assert said.message == (
        "apply refuses this plan: the plan costs 0.50 USD on top of 9.51 already spent, budget.total is 10.00"
    )
    assert [line.code for line in warnings(plan("0.5"), budget(total="10"), micros("9.5"))] == ["other-currency"]
    assert list(warnings(plan("0.5"), None, {})) == []


def test_all_objections_are_told_at_once() -> None:
    said = objections(plan("5", None), budget("1", "1", 1), D("1"), micros("3"))
    assert len(said) == 5


@pytest.mark.parametrize("action", sorted(set(Action) - {Action.CREATE, Action.REPLACE}))
def test_what_buys_nothing_is_never_refused(action: Action) -> None:
    assert objections(plan("5", None, action=action), budget("0", "0", 0), D(0), micros("9")) == ()


def test_what_was_saved_is_the_price_of_every_take_that_needed_no_request_and_the_unpriced_are_counted() -> None:
    assert saved([]) == (D(0), 0)
    assert saved([Cost(D("0.1"))] * 3) == (D("0.3"), 0)
    assert saved([Cost(D("0.50"), "USD"), Cost(None), Cost(D(0)), Cost(None)]) == (D("0.50"), 2)
