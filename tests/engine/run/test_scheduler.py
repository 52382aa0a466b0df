"""Who may start now: what a run admits, in which order, and what it gives up."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.engine.run.scheduler import Scheduler
from reconciler.plan.model import Action, Reason, Step


def step(clip: str, *needs: str, provider: str = "studio", action: Action = Action.CREATE) -> Step:
    reason = Reason.IN_FLIGHT if action is Action.RESUME else Reason.NEW
    needed = tuple((name, 1) for name in needs)
    return Step(clip, 1, action, reason, f"v1:{clip}", provider=provider, needs=needed)


def admitted(pool: Scheduler) -> list[str]:
    """All that may start now."""
    found = []
    while (item := pool.admit()) is not None:
        found.append(item.clip)
    return found


def names(steps: tuple[Step, ...]) -> list[str]:
    return [item.clip for item in steps]


def test_no_more_than_the_limit_of_each_provider_run_at_once() -> None:
    pool = Scheduler(
        [step("a"), step("b"), step("c", provider="other"), step("d"), step("e", provider="other")], {"studio": 2}
    )
    assert admitted(pool) == ["a", "b", "c"]  # an unknown provider has room for one


def test_a_slot_that_is_given_back_is_filled() -> None:
    a, b = step("a"), step("b")
    pool = Scheduler([a, b], {"studio": 1})
    assert admitted(pool) == ["a"]
    assert pool.finish(a, succeeded=True) == ()
    assert admitted(pool) == ["b"]


def test_plan_order_is_kept() -> None:
    assert admitted(Scheduler([step(name) for name in "zyxab"], {"studio": 9})) == list("zyxab")


def test_tasks_under_way_come_first_because_links_expire() -> None:
    steps = [step("new"), step("other", provider="b"), step("old", action=Action.RESUME)]
    assert admitted(Scheduler(steps, {"studio": 1, "b": 1})) == ["old", "other"]


def test_a_task_under_way_needs_no_place_and_takes_one_from_those_that_are_not() -> None:
    steps = [step("new"), *(step(f"old{n}", action=Action.RESUME) for n in range(3))]
    pool = Scheduler(steps, {"studio": 2})
    assert admitted(pool) == ["old0", "old1", "old2"]
    pool.finish(steps[1], succeeded=True)
    assert admitted(pool) == [], "two are at the provider still"
    pool.finish(steps[2], succeeded=True)
    assert admitted(pool) == ["new"]


def test_drafts_under_way_wait_for_a_place_because_they_are_begun_anew() -> None:
    steps = [step(f"old{n}", action=Action.RESUME) for n in range(3)]
    assert admitted(Scheduler(steps, {"studio": 2}, local=["studio"])) == ["old0", "old1"]


def test_a_step_waits_for_all_that_it_needs() -> None:
    a, b, c = step("a"), step("b"), step("c", "a", "b")
    pool = Scheduler([c, a, b], {"studio": 9})
    assert admitted(pool) == ["a", "b"]
    pool.finish(a, succeeded=True)
    assert admitted(pool) == []
    pool.finish(b, succeeded=True)
    assert admitted(pool) == ["c"]


def test_what_is_not_part_of_the_run_is_not_waited_for() -> None:
    assert admitted(Scheduler([step("b", "made-long-ago")], {})) == ["b"]


def test_all_that_hangs_on_a_failure_is_given_up_nearest_first() -> None:
    a = step("a")
    pool = Scheduler([a, step("d", "c"), step("c", "b"), step("b", "a"), step("alone")], {"studio": 1})
    assert admitted(pool) == ["a"]
    assert names(pool.finish(a, succeeded=False)) == ["b", "c", "d"]
    assert admitted(pool) == ["alone"]
    assert pool.unfinished() == ()


def test_what_needs_two_that_fail_is_given_up_once() -> None:
    a, b = step("a"), step("b")
    pool = Scheduler([a, b, step("c", "a", "b"), step("d", "c")], {"studio": 2})
    admitted(pool)
    assert names(pool.finish(a, succeeded=False)) == ["c", "d"]
    assert names(pool.finish(b, succeeded=False)) == []


@pytest.mark.parametrize("first", [True, False])
def test_one_success_does_not_mend_another_failure(first: bool) -> None:
    a, b = step("a"), step("b")
    pool = Scheduler([a, b, step("c", "a", "b")], {"studio": 2})
    admitted(pool)
    pool.finish(a, succeeded=first)
    pool.finish(b, succeeded=not first)
    assert admitted(pool) == [] and pool.unfinished() == ()


def test_when_a_run_stops_early_the_rest_is_what_never_started() -> None:
    steps = [step("a"), step("b"), step("c", "a"), step("d", provider="other")]
    pool = Scheduler(steps, {"studio": 1, "other": 1})
    assert pool.admit() == steps[0]
    assert names(pool.unfinished()) == ["b", "c", "d"]


def test_a_task_that_nobody_wants_runs_beside_its_clips_new_one() -> None:
    stray = Step("a", 1, Action.RESUME, Reason.NOT_REFERENCED, "v1:old", provider="studio")
    assert [pool_step.key for pool_step in _all(Scheduler([step("a"), stray], {"studio": 2}))] == ["v1:old", "v1:a"]


def _all(pool: Scheduler) -> list[Step]:
    found = []
    while (item := pool.admit()) is not None:
        found.append(item)
    return found


@st.composite
def graphs(draw: st.DrawFn) -> list[Step]:
    count = draw(st.integers(0, 12))
    found = []
    for i in range(count):
        needs = draw(st.sets(st.integers(0, i - 1), max_size=3)) if i else set()
        action = draw(st.sampled_from([Action.CREATE, Action.RESUME]))
        found.append(step(f"c{i}", *(f"c{n}" for n in needs), provider=draw(st.sampled_from("xy")), action=action))
    return draw(st.permutations(found))


@settings(deadline=None, max_examples=80)
@given(graphs(), st.integers(1, 3), st.data())
def test_in_any_run_each_step_starts_once_or_is_given_up_once(
    steps: list[Step], limit: int, data: st.DataObject
) -> None:
    """And never before what it needs succeeded, nor beyond a limit."""
    pool = Scheduler(steps, {"x": limit, "y": 1})
    started, lost, done, running = [], [], set(), []
    while True:
        while (item := pool.admit()) is not None:
            assert {need for need, _ in item.needs} <= done
            started.append(item.clip)
            running.append(item)
        new = Counter(s.provider for s in running if s.action is Action.CREATE)
        assert new["x"] <= limit and new["y"] <= 1
        if not running:
            break
        ended = running.pop(data.draw(st.integers(0, len(running) - 1)))
        succeeded = data.draw(st.booleans())
        done |= {ended.clip} if succeeded else set()
        lost += names(pool.finish(ended, succeeded=succeeded))
    assert sorted(started + lost) == sorted(s.clip for s in steps)
    assert pool.unfinished() == ()


def test_ten_thousand_steps_in_one_chain_are_given_up_without_recursion() -> None:
    steps = [step("c0"), *(step(f"c{i}", f"c{i - 1}") for i in range(1, 10_000))]
    pool = Scheduler(steps, {"studio": 1})
    assert pool.admit() is steps[0]
    assert len(pool.finish(steps[0], succeeded=False)) == 9_999
