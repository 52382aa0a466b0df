"""What a generation should cost, and when a plan may not be afforded. A cent too little is somebody's money."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from reconciler.diagnostics import Severity
from reconciler.plan.cost import PricedRequest, estimate, objections, saved, warnings
from reconciler.plan.model import Action, Cost, Plan, Reason, Step
from reconciler.spec.model import Budget
from reconciler.spec.model import Price as Row

D = Decimal


def row(model: str, resolution: str | None, **unit: str) -> Row:
    """A row of a price table, as it is read."""
    return Row.model_validate({"model": model, "resolution": resolution, **unit})


TABLE = (
    row("doubao-seedance-2-0*", "720p", per_second="0.10"),
    row("doubao-seedance-2-0*", "1080p", per_second="0.23"),
    row("seedance-?-lite", None, per_clip="0.0000001"),
    row("ark-*", None, per_1k_tokens="0.0043"),
    row("Case", None, per_clip="7"),
    row("*", "480p", per_clip="0.45"),
)


@pytest.mark.parametrize(
    ("model", "resolution", "ratio", "seconds", "amount"),
    [
        ("doubao-seedance-2-0", "720p", None, 5, "0.50"),
        ("doubao-seedance-2-0-260128", "720p", None, 5, "0.50"),  # a glob
        ("doubao-seedance-2-0", "720p", None, 3, "0.30"),  # 3 x 0.1 is 0.30000000000000004 in floats
        ("doubao-seedance-2-0", "1080p", None, 7, "1.61"),
        ("doubao-seedance-2-0", "480p", None, 7, "0.45"),  # no row of the model has it: the next that matches
        ("doubao-seedance-2-0", "2k", None, 5, None),  # none has it
        ("doubao-seedance-2-0", None, None, 5, None),  # nobody knows the resolution: not the cheapest row
        ("doubao-seedance-2-0", "720p", None, None, None),  # nobody knows how long
        ("doubao-seedance-2-0", "720p", None, -1, None),  # the provider chooses how long
        ("seedance-1-lite", None, None, None, "0.0000001"),  # a clip costs what it costs
        ("seedance-10-lite", "480p", None, 5, "0.45"),  # ? is one character
        ("Case", None, None, 5, "7"),
        ("case", None, None, 5, None),  # models are spelt as the vendor spells them
    ],
)
def test_the_first_row_that_matches_is_the_price(
    model: str, resolution: str | None, ratio: str | None, seconds: int | None, amount: str | None
) -> None:
    expected = Cost(None if amount is None else D(amount), "USD")
    assert estimate(TABLE, PricedRequest(model, resolution, ratio, seconds), "USD") == expected


@pytest.mark.parametrize(
    ("resolution", "ratio", "seconds", "amount"),
    [
        # seconds x width x height x 24 / 1024 tokens, at 0.0043 a thousand
        ("720p", "16:9", 5, "0.464400"),  # 5 x 1280 x 720: 108,000 tokens
        ("720p", "9:16", 5, "0.464400"),
        ("1080p", "16:9", 10, "2.089800"),  # 486,000 tokens
        ("480p", "1:1", 1, "0.023220"),  # 5,400 tokens
        ("720p", "4:3", 5, "0.348300"),
        ("480p", "16:9", 5, "0.206400"),  # 853.33 wide: rounded once, at the end
        ("720p", "adaptive", 5, None),  # the shape is the first picture's
        ("720p", None, 5, None),
        (None, "16:9", 5, None),
        ("8k", "16:9", 5, None),
        ("720p", "16:9", None, None),
    ],
)
def test_tokens_are_counted_by_arks_formula(
    resolution: str | None, ratio: str | None, seconds: int | None, amount: str | None
) -> None:
    found = estimate(TABLE[3:4], PricedRequest("ark-1", resolution, ratio, seconds), "USD").amount
    assert (None if found is None else str(found)) == amount


def test_no_table_is_no_price_and_never_nought() -> None:
    assert estimate((), PricedRequest("m", "720p", "16:9", 5), "USD") == Cost(None, "USD")


def test_a_row_without_a_unit_cannot_be_written() -> None:
    with pytest.raises(ValidationError):
        row("*", None)


# --- caps -------------------------------------------------------------------------------------


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
    (said,) = warnings(plan("0.5"), budget(total="10"), micros("9.51"))
    assert (said.code, said.severity) == ("over-budget", Severity.WARNING)
    assert said.message == (
        "apply refuses this plan: the plan costs 0.50 USD on top of 9.51 already spent, budget.total is 10.00"
    )
    assert warnings(plan("0.5"), budget(total="10"), micros("9.5")) == ()
    assert warnings(plan("0.5"), None, {}) == ()


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
