"""Every file in `cases/` is planned as it says, and together they show every reason there is."""

from __future__ import annotations

import pytest

from reconciler.plan.model import Action, Reason
from tests.plan.cases import Case, cases
from tests.plan.world import Carried

ALL = cases()
ELSEWHERE = {Reason.DESTROYED, Reason.DRAWING}
"""Reasons that `compute` never gives: `destroy` makes a plan of its own, and only the lock shows who draws."""


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_the_situation_is_planned_as_written(case: Case, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update"):
        case.update()
    assert case.actual() == case.expected


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_once_the_plan_is_carried_out_only_what_was_blocked_is_left(case: Case) -> None:
    plan = case.given.plan()
    after = Carried(case.given).carry_out(plan).plan()
    was_blocked = {(step.clip, step.take) for step in plan.blocked()}
    assert [step for step in after.changes() if (step.clip, step.take) not in was_blocked] == []


def test_every_case_says_why_it_matters() -> None:
    assert [case.name for case in ALL if len(case.comment) < 20] == []


def test_every_action_and_every_reason_occurs() -> None:
    steps = [step for case in ALL for step in case.given.plan().steps]
    assert {step.action for step in steps} == set(Action)
    assert {step.reason for step in steps} == set(Reason) - ELSEWHERE


def test_every_reason_has_a_sentence() -> None:
    assert all(reason.sentence for reason in Reason)
