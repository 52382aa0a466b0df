"""What holds for the plan of any world, consistent or not."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.plan.compute import PlanScope
from reconciler.plan.model import Action, Cost, Disk, OutputFact, Plan, Reason, Step, Wanted
from reconciler.records import BLOCKED, OPEN, Binding, Generation, Placed, Snapshot, State
from tests.calls import calls
from tests.plan.world import Carried, World, attempt, film, paid

NAMES = ("ada", "bob", "cyd", "dan", "eve")
PATHS = tuple(f"out/{name}.mp4" for name in "abcdef")
LEVELS = 3  # a clip needs only clips of lower levels, and a key tells its level: keys of a chain cannot be equal
KEYS = tuple(f"v1:{level}{letter}" for level in range(LEVELS) for letter in "xyz")


@st.composite
def takes(draw: st.DrawFn) -> tuple[Wanted, ...]:
    """Up to five clips in any order, each at an output of its own, some sharing a key."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    paths = draw(st.permutations(PATHS))
    levels = {name: draw(st.integers(0, LEVELS - 1)) for name in names}
    free_keys = draw(st.sets(st.sampled_from(KEYS)))
    found = []
    for name, path in zip(names, paths, strict=False):
        lower = [other for other in names if levels[other] < levels[name]]
        key = f"v1:{levels[name]}{draw(st.sampled_from('xyz'))}"
        needs = draw(st.lists(st.sampled_from(lower), unique=True, max_size=2)) if lower else []
        output = draw(st.sampled_from([path, path, path, None]))
        protect, free = draw(st.booleans()) and draw(st.booleans()), key in free_keys
        needed = tuple((other, 1) for other in needs)
        cost = Cost(Decimal(0) if free else Decimal(1))
        found.append(Wanted(name, 1, key, "", "p", "k", "m", output, needed, protect, free, cost))
    return tuple(found)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Anything that records may say, even what no run would leave."""
    states = draw(st.dictionaries(st.sampled_from(KEYS), st.sampled_from(State)))
    known = draw(st.sets(st.sampled_from(KEYS)))
    reasons = st.sampled_from(["", "internal", "moderation", "bad input"])
    held = draw(st.dictionaries(st.sampled_from(NAMES), st.tuples(st.sampled_from(KEYS), st.sampled_from(PATHS))))
    placed = draw(st.dictionaries(st.sampled_from(PATHS), st.sampled_from(KEYS)))
    return Snapshot(
        attempts={
            key: attempt(i, key, state, clip=draw(st.sampled_from(NAMES)), reason=draw(reasons), task="t")
            for i, (key, state) in enumerate(states.items())
        },
        generations={key: Generation(key, film(key), "", provider="p", kind="k", model="m") for key in known},
        bindings={(name, 1): Binding(name, 1, key, path) for name, (key, path) in held.items()},
        placed={path: Placed(path, film(key), 1, 1, 1) for path, key in placed.items()},
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    records = draw(snapshots())
    objects = frozenset(map(film, draw(st.sets(st.sampled_from(KEYS)))))
    contents = st.one_of(st.none(), st.just("mine"), st.sampled_from([film(key) for key in KEYS]))
    files = draw(st.dictionaries(st.sampled_from(PATHS), contents))
    files |= {path: p.sha256 for path, p in records.placed.items() if draw(st.booleans())}
    locked = {key: film(key) for key in draw(st.sets(st.sampled_from(KEYS), max_size=2))}
    disk = Disk({path: OutputFact(True, content) for path, content in files.items()}, objects)
    force = draw(st.frozensets(st.sampled_from(NAMES), max_size=1))
    return World(draw(takes()), records, disk, locked, PlanScope(None, force))


def own(world: World, plan: Plan) -> list[Step]:
    """The steps of wanted takes: not what is collected, removed or protected beside them."""
    wanted = {(w.clip, w.take) for w in world.wanted}
    return [
        s
        for s in plan.steps
        if s.reason is not Reason.NOT_REFERENCED
        and s.action is not Action.REMOVE
        and (s.ident in wanted or s.reason is not Reason.PROTECTED)
    ]


def asked(plan: Plan) -> Counter[str]:
    """How often each key's provider would be asked, for something new or for a task under way."""
    return Counter(s.key for s in plan.steps if s.action in (Action.CREATE, Action.REPLACE, Action.RESUME))


def every_wanted_take_is_planned_exactly_once(world: World, plan: Plan) -> None:
    assert Counter((s.clip, s.take) for s in own(world, plan)) == Counter((w.clip, w.take) for w in world.wanted)


def planning_twice_is_equal(world: World, plan: Plan) -> None:
    assert world.plan() == plan


def the_order_of_specs_changes_no_step_unless_two_clips_share_a_key(world: World, plan: Plan) -> None:
    if len({w.key for w in world.wanted}) == len(world.wanted):
        other_way_round = replace(world, wanted=world.wanted[::-1]).plan()
        assert sorted(other_way_round.steps, key=repr) == sorted(plan.steps, key=repr)


def what_is_needed_comes_first(world: World, plan: Plan) -> None:
    done: set[tuple[str, int]] = set()
    for step in own(world, plan):
        assert set(step.needs) <= done
        done.add((step.clip, step.take))


def one_key_is_asked_for_at_most_once(world: World, plan: Plan) -> None:
    assert max(asked(plan).values(), default=1) == 1


def we_pay_only_when_nothing_usable_is_known(world: World, plan: Plan) -> None:
    for step in paid(plan, world.wanted):
        past = world.snapshot.attempts.get(step.key)
        assert past is None or past.state not in OPEN | BLOCKED | {State.DONE}
        assert step.key not in world.snapshot.generations
        assert world.locked.get(step.key) not in world.disk.objects


def carried_out_it_leaves_only_what_was_blocked(world: World, plan: Plan) -> None:
    """What shares a key with something blocked, or waits for it, may come in a second round."""
    again = Carried(world).carry_out(plan).plan()
    blocked = (*plan.blocked(), *again.blocked())
    waiting = {s.key for s in blocked} | {s.clip for s in blocked}
    assert [s for s in again.changes() if not {s.key, s.clip} & waiting] == []


def applied_until_it_rests_no_key_is_bought_twice(world: World, plan: Plan) -> None:
    bought: list[str] = []
    for _ in range(len(NAMES) + 2):
        carried = Carried(world)
        world = carried.carry_out(world.plan())
        bought += carried.bought
    assert not world.plan().has_changes()
    assert len(set(bought)) == len(bought)


def no_file_of_the_users_is_lost_unless_they_said_so(world: World, plan: Plan) -> None:
    """What the lock file names is no file of the user's, and it is in the store before another takes its place."""
    forced = {w.output for w in world.wanted if w.clip in world.scope.force}
    after = Carried(world).carry_out(plan).disk
    for path, fact in world.disk.outputs.items():
        record = world.snapshot.placed.get(path)
        if path in forced or (record is not None and record.sha256 == fact.sha256):
            continue
        kept = record is None and fact.sha256 in world.locked.values() and fact.sha256 in after.objects
        assert kept or after.outputs.get(path) == fact


def sums_and_counts_agree_with_the_steps(world: World, plan: Plan) -> None:
    assert sum(plan.counts().values()) == len(plan.steps)
    assert plan.total() == len(paid(plan, world.wanted)) and plan.unpriced() == 0


LAWS = (
    every_wanted_take_is_planned_exactly_once,
    planning_twice_is_equal,
    the_order_of_specs_changes_no_step_unless_two_clips_share_a_key,
    what_is_needed_comes_first,
    one_key_is_asked_for_at_most_once,
    we_pay_only_when_nothing_usable_is_known,
    carried_out_it_leaves_only_what_was_blocked,
    applied_until_it_rests_no_key_is_bought_twice,
    no_file_of_the_users_is_lost_unless_they_said_so,
    sums_and_counts_agree_with_the_steps,
)


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_every_law_holds_in_any_world(world: World) -> None:
    """One world for all of them: to think of one takes longer than to plan in it."""
    plan = world.plan()
    for law in LAWS:
        law(world, plan)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), st.frozensets(st.sampled_from(NAMES)))
def test_a_selection_acts_on_nothing_else_and_never_asks_for_a_key_twice(world: World, only: frozenset[str]) -> None:
    plan = replace(world, scope=PlanScope(only, world.scope.force)).plan()
    assert {s.clip for s in plan.steps} | {clip for clip, _ in plan.unbind} <= only
    assert max(asked(plan).values(), default=1) == 1


@settings(deadline=None, max_examples=50)
@given(takes(), st.booleans())
def test_a_world_that_matches_plans_nothing(wanted: tuple[Wanted, ...], attempts: bool) -> None:
    picked = {w.output: film(w.key) for w in wanted if w.output}
    records = Snapshot(
        generations={w.key: Generation(w.key, film(w.key), "", provider="p", kind="k", model="m") for w in wanted},
        attempts={w.key: attempt(i, w.key, State.DONE) for i, w in enumerate(wanted) if attempts},
        bindings={(w.clip, w.take): Binding(w.clip, w.take, w.key, w.output) for w in wanted},
        placed={path: Placed(path, content, 1, 1, 1) for path, content in picked.items()},
    )
    outputs = {path: OutputFact(True, content) for path, content in picked.items()}
    plan = World(wanted, records, Disk(outputs, frozenset(film(w.key) for w in wanted))).plan()
    assert not plan.has_changes() and not plan.blocked() and not plan.unbind


# --- nothing grows faster than the project -----------------------------------------------------


def fresh(clips: int) -> World:
    """Nothing was made; each clip hangs on the one before."""
    return World(
        tuple(
            Wanted(f"c{i}", 1, f"v1:{i}", "", "p", "k", "m", f"out/{i}.mp4", ((f"c{i - 1}", 1),) if i else ())
            for i in range(clips)
        )
    )


def shifted(clips: int) -> World:
    """All was made; every output moves to another folder, every clip has another name, one picture for ten clips."""
    before = [
        Wanted(f"c{i}", 1, f"v1:{i // 10}", "", "p", "k", "m", f"out/{i}.mp4", cost=Cost(Decimal(1)))
        for i in range(clips)
    ]
    records = Snapshot(
        generations={w.key: Generation(w.key, film(w.key), "", provider="p", kind="k", model="m") for w in before},
        bindings={(w.clip, 1): Binding(w.clip, 1, w.key, w.output) for w in before},
        placed={str(w.output): Placed(str(w.output), film(w.key), 1, 1, 1) for w in before},
    )
    disk = Disk({str(w.output): OutputFact(True, film(w.key)) for w in before}, frozenset(film(w.key) for w in before))
    after = tuple(replace(w, clip=f"new-{w.clip}", output=f"new/{i}.mp4") for i, w in enumerate(before))
    return World(after, records, disk)


@pytest.mark.parametrize("build", [fresh, shifted])
def test_twice_the_clips_take_no_more_than_twice_the_work(build: Callable[[int], World]) -> None:
    small, large = build(1000), build(2000)
    assert calls(large.plan) / calls(small.plan) < 2.5


def test_one_picture_at_a_thousand_paths_moves_in_a_straight_line() -> None:
    """Every clip has the same key: looking for a file to move must not begin from the first one each time."""

    def build(clips: int) -> World:
        world = shifted(clips)
        one = {w: replace(w, key="v1:0") for w in world.wanted}
        placed = {path: replace(p, sha256=film("v1:0")) for path, p in world.snapshot.placed.items()}
        disk = Disk({path: OutputFact(True, film("v1:0")) for path in placed}, frozenset({film("v1:0")}))
        return World(tuple(one.values()), replace(world.snapshot, placed=placed), disk)

    def lines(world: World) -> int:
        count = 0

        def trace(frame: object, event: str, arg: object) -> object:
            nonlocal count
            count += event == "line"
            return trace

        sys.settrace(trace)
        try:
            world.plan()
        finally:
            sys.settrace(None)
        return count

    assert lines(build(400)) / lines(build(200)) < 2.5


def test_three_thousand_clips_take_a_bounded_number_of_calls_each() -> None:
    world = fresh(3000)
    assert calls(world.plan) / 3000 < 100
