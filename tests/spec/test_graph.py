"""Order, dependents and closure of a dependency graph."""

from __future__ import annotations

from graphlib import CycleError

import pytest

from reconciler.spec.graph import closure, dependents, in_order


def test_the_order_given_is_kept_but_for_what_is_needed() -> None:
    assert in_order({"d": ["b"], "a": [], "b": ["c"], "c": [], "e": []}) == ["a", "c", "b", "d", "e"]


def test_an_order_that_holds_already_is_kept() -> None:
    assert in_order({"a": [], "b": ["a", "a"], "c": [], "d": ["a", "c"]}) == ["a", "b", "c", "d"]


def test_what_is_needed_of_another_project_is_not_waited_for() -> None:
    assert in_order({"a": ["elsewhere"]}) == ["a"]
    assert in_order({"a": ["elsewhere", "b"], "b": []}) == ["b", "a"]


def test_a_chain_of_five_thousand_declared_the_wrong_way_round_is_ordered() -> None:
    assert in_order({i: [i - 1] if i else [] for i in reversed(range(5000))}) == list(range(5000))


def test_five_thousand_that_need_one_come_after_it_once() -> None:
    graph = {**{f"c{i}": ["z", "z"] for i in range(5000)}, "z": []}
    assert in_order(graph) == ["z", *(f"c{i}" for i in range(5000))]


def test_a_circle_is_refused() -> None:
    with pytest.raises(CycleError):
        in_order({"a": ["b"], "b": ["a"]})


def test_dependents_are_named_once_in_the_order_given() -> None:
    assert dependents({"b": ["a", "a"], "a": [], "c": ["a"]}) == {"a": ["b", "c"]}


def test_a_closure_is_nearest_first_and_holds_in_a_circle() -> None:
    assert list(closure(["a"], {"a": ["b", "c"], "b": ["d"], "d": ["a"]})) == ["a", "b", "c", "d"]
