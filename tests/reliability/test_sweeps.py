"""The sweeps in their short form: refusals of the disk, two clips in any order, walks by seed, power cuts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.reliability import sweeps
from tests.reliability.figures import Tally
from tests.reliability.simulator import listed


@pytest.mark.parametrize("group", range(3))
def test_one_to_five_faults_by_seed_cost_nothing_twice_and_lose_nothing(group: int) -> None:
    assert _broken(lambda tally: sweeps.walks(tally, range(12 * group, 12 * group + 12))) == []


def test_two_clips_in_any_order_and_a_kill_do_no_harm() -> None:
    assert _broken(lambda tally: sweeps.interleaved(tally, range(20))) == []


@pytest.mark.timeout(400)  # the longest one: on a slow machine beside other work it takes two minutes
def test_each_answer_and_each_refusal_of_the_disk_leaves_a_project_that_heals() -> None:
    assert _broken(lambda tally: sweeps.single_faults(tally, 11)) == []  # no multiple of how many a point has


def test_a_sync_that_fails_and_then_lies_loses_nothing_that_was_paid_for() -> None:
    assert _broken(lambda tally: sweeps.lying_syncs(tally, "one")) == []


def test_a_clock_that_jumps_and_a_reader_that_leaves_do_no_harm() -> None:
    assert _broken(lambda tally: sweeps.clocks_and_pipes(tally, 3)) == []


@pytest.mark.parametrize("name", ["one", "replace"])
def test_a_power_cut_at_any_point_loses_nothing_that_was_paid_for(name: str) -> None:
    assert _broken(lambda tally: sweeps.power_cuts(tally, name, ("strict", "names", 3), 13)) == []


def test_the_figures_tell_a_broken_promise() -> None:
    tally = Tally()
    tally.scenarios["a"] = tally.injected = tally.itself = 1
    tally.points = {"sync"}
    assert tally.passed()
    tally.broken.append("I1: two tasks")
    assert not tally.passed()
    assert "| double submits (I1) | 1 | 0 | **missed** |" in tally.table()


def _broken(play: Callable[[Tally], None]) -> list[str]:
    tally = Tally()
    play(tally)
    assert tally.skipped or tally.itself + tally.asking == sum(tally.scenarios.values()) or tally.broken
    return tally.broken


@pytest.mark.parametrize("kind", ["seeded", "plain"])
def test_where_the_vendor_has_a_list_nobody_is_asked(kind: str) -> None:
    tally = Tally()
    listed.kills(tally, kind, 2, 11)
    assert (tally.broken, tally.asking_listed) == ([], 0)
    assert tally.listed > 5


@pytest.mark.parametrize(("kind", "jump", "first"), [("seeded", 700.0, 1), ("plain", -700.0, 6)])
def test_a_kill_and_a_clock_that_is_set_after_it_pay_once(kind: str, jump: float, first: int) -> None:
    tally = Tally()
    listed.clocks(tally, kind, jump, first, 13)
    assert tally.broken == []
    assert tally.injected > 10
