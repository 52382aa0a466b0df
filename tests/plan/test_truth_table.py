"""The truth table as committed, and what holds in every one of its situations."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from reconciler.plan.model import GENERATES, Action, Plan, Reason
from reconciler.records import BLOCKED, OPEN, State
from tests.plan.truth import PATH, WANT, Row, render, rows
from tests.plan.world import Carried, film

TABLE = Path(__file__).parent / "truth_table.txt"
Case = tuple[Row, Plan]
UNDER_WAY = OPEN - {State.FETCHED}  # what was fetched has no task any more


@cache
def every() -> list[Case]:
    return [(row, row.plan()) for row in rows()]


def wrong(broken: list[Case]) -> list[str]:
    """The situations in words, for the message."""
    return [
        f"{row.declared}, free={row.free}, {row.known.name}, {row.held}, {row.file}: {row.cell()}" for row, _ in broken
    ]


def of_hero(plan: Plan) -> list[Action]:
    return [s.action for s in plan.steps if s.reason is not Reason.NOT_REFERENCED]


def test_the_table_is_as_committed(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update"):
        TABLE.write_text(render(), encoding="utf-8")
    assert render() == TABLE.read_text(encoding="utf-8")


def test_a_wanted_take_has_exactly_one_step() -> None:
    declared = [(row, plan) for row, plan in every() if row.declared != "no longer declared"]
    assert wrong([(row, plan) for row, plan in declared if len(of_hero(plan)) != 1]) == []


def test_nothing_is_generated_while_an_attempt_is_open_or_in_doubt() -> None:
    pending = [(row, plan) for row, plan in every() if row.known.state in UNDER_WAY | BLOCKED]
    assert pending and wrong([(row, plan) for row, plan in pending if plan.generating()]) == []


def test_nothing_is_generated_while_the_picture_is_at_hand() -> None:
    at_hand = [(row, plan) for row, plan in every() if row.known.object]
    assert at_hand and wrong([(row, plan) for row, plan in at_hand if plan.generating()]) == []


def test_what_was_paid_for_is_not_bought_again() -> None:
    bought = [(row, plan) for row, plan in every() if row.known.generation or row.known.name.startswith("done")]
    assert wrong([(row, plan) for row, plan in bought if not row.free and plan.generating()]) == []


def test_nothing_is_generated_that_nobody_wants() -> None:
    unwanted = [(row, plan) for row, plan in every() if row.declared == "no longer declared"]
    assert wrong([(row, plan) for row, plan in unwanted if plan.generating()]) == []


def test_a_file_of_the_users_is_never_touched() -> None:
    theirs = [(row, plan) for row, plan in every() if row.file == "the user's"]
    broken = []
    for row, plan in theirs:
        if Carried(row.world()).carry_out(plan).disk.outputs[PATH] != row.world().disk.outputs[PATH]:
            broken.append((row, plan))
    assert wrong(broken) == []


def test_a_protected_output_is_never_replaced() -> None:
    protected = [(r, p) for r, p in every() if r.declared == "wanted and protected" and r.file == "another of ours"]
    broken = []
    for row, plan in protected:
        carried = Carried(row.world())
        carried.carry_out(plan)
        if carried.overwritten:
            broken.append((row, plan))
    assert wrong(broken) == []


def test_a_task_that_was_paid_for_is_always_carried_on_or_asked_about() -> None:
    """In the plan of any spec, an open task is resumed; one in doubt blocks, whether its clip is wanted or not."""
    open_ones = [(r, p) for r, p in every() if r.known.state in UNDER_WAY and not r.known.object and not r.free]
    assert wrong([(r, p) for r, p in open_ones if Action.RESUME not in {s.action for s in p.steps}]) == []
    doubts = [(r, p) for r, p in every() if r.known.state in BLOCKED and not r.known.object]
    assert wrong([(r, p) for r, p in doubts if Action.BLOCKED not in {s.action for s in p.steps}]) == []
    wanted = [(r, p) for r, p in doubts if r.declared != "no longer declared"]
    assert wrong([(r, p) for r, p in wanted if of_hero(p) != [Action.BLOCKED]]) == []


def test_what_is_free_to_place_says_which_artifact() -> None:
    for _, plan in every():
        for step in plan.steps:
            if step.action in (Action.RESTORE, Action.MOVE, Action.NOOP) and step.reason is not Reason.LOCKED_TAKE:
                assert (step.key, step.sha256) == (WANT, film(WANT))
            if step.action in GENERATES:
                assert step.sha256 is None


def test_carried_out_every_plan_leaves_nothing_but_what_was_blocked() -> None:
    broken = []
    for row, plan in every():
        after = Carried(row.world()).carry_out(plan).plan()
        if after.has_changes() and not plan.blocked():
            broken.append((row, after))
    assert wrong(broken) == []
