"""A saved plan is applied only while it is the plan that would be made now."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciler.plan.model import Action, Change, Cost, Plan, Reason, Step
from reconciler.project.saved_plan import fingerprint

STEP = Step("hero", 1, Action.RESTORE, Reason.KNOWN, "v1:aa", "studio", "ark", "m1", "out/hero.mp4", sha256="aa")


@pytest.mark.parametrize(
    "change",
    [
        {"clip": "other"},
        {"take": 2},
        {"action": Action.CREATE},
        {"reason": Reason.FOREIGN},  # the same restore, over a file of the user's
        {"key": "v1:bb"},
        {"provider": "other"},
        {"model": "m2"},
        {"output": "out/other.mp4"},
        {"previous_output": "out/old.mp4"},
        {"sha256": "bb"},
        {"cost": Cost(Decimal("0.5"))},
        {"cost": Cost(Decimal(0), "EUR")},
    ],
    ids=str,
)
def test_whatever_would_be_carried_out_counts(change: dict[str, object]) -> None:
    other = replace(STEP, **change)  # type: ignore[arg-type]  # names are checked at run time
    assert fingerprint(Plan((other,))) != fingerprint(Plan((STEP,)))


@pytest.mark.parametrize("change", [{"expected": 12.5}, {"detail": "x"}, {"changes": (Change("prompt", "a", "b"),)}])
def test_what_is_only_told_does_not(change: dict[str, object]) -> None:
    other = replace(STEP, **change)  # type: ignore[arg-type]  # as above
    assert fingerprint(Plan((other,))) == fingerprint(Plan((STEP,)))


def test_the_order_counts_and_so_does_the_number() -> None:
    other = replace(STEP, clip="other")
    assert len({fingerprint(Plan(steps)) for steps in ((), (STEP,), (STEP, other), (other, STEP))}) == 4


@pytest.mark.parametrize(
    ("action", "alias", "counts"),
    [
        (Action.CREATE, "studio", True),
        (Action.RESUME, "studio", True),
        (Action.RESTORE, "studio", False),  # nobody is asked for it
        (Action.CREATE, "other", False),
        (Action.CREATE, "", True),  # the store
        (Action.RESUME, "", False),
    ],
)
def test_a_place_counts_where_it_is_asked(action: Action, alias: str, counts: bool) -> None:
    steps = (replace(STEP, action=action),)
    marks = {fingerprint(Plan(steps, places=((alias, place),))) for place in ("here", "there")}
    assert len(marks) == 1 + counts
