"""What a cap on a day, a month or a tag says of a plan, and how much of it fits."""

from __future__ import annotations

import pytest

from reconciler.plan.windows import Window, objections
from tests.plan.test_cost import plan


@pytest.mark.parametrize(
    ("amounts", "spent", "clips", "sentence"),
    [
        (("2", "2"), 1, None, ""),
        (("2", "2"), 2, None, "costs 4.00 USD on top of 2.00 already spent, and the cap is 5.00; the first of 2 fits"),
        (("2", "3"), 0, None, ""),  # as much as the cap is within it
        (("2", "0", "3", "1"), 0, None, "costs 6.00 USD, and the cap is 5.00; the first 2 of 3 fit"),
        (("6", "1"), 0, None, "costs 7.00 USD, and the cap is 5.00; none of 2 fits"),  # in the order of the plan
        (("6", "1"), 0, {"c1"}, ""),  # it counts one clip only
        (("6",), 9, {"c7"}, ""),  # and none of the plan: whatever was spent
        (("1", None), 0, None, "1 of the clips that budget.per_day caps have no known price"),
    ],
)
def test_a_cap_says_what_it_counts_and_how_much_fits(
    amounts: tuple[str | None, ...], spent: int, clips: set[str] | None, sentence: str
) -> None:
    cap = Window("budget.per_day", 5_000_000, "day", None if clips is None else frozenset(clips))
    reasons = list(objections(plan(*amounts), [(cap, spent * 1_000_000)]))
    assert [reason.removeprefix("what budget.per_day counts ") for reason in reasons] == (
        [sentence] if sentence else []
    )
