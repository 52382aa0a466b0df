"""The import graph has no circle, counting imports in functions and those for types alone."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.style.source import imports, modules


def graph() -> dict[str, set[str]]:
    """Which modules each module imports. A package's `__init__` counts as a module of its own."""
    names = frozenset(module.name for module in modules())
    return {module.name: {name for name in imports(module, names) if name != module.name} for module in modules()}


def order(edges: Mapping[str, set[str]]) -> list[str]:
    """The modules from the lowest to the highest. Raises CycleError where there is a circle."""
    return list(TopologicalSorter(edges).static_order())


def test_no_module_imports_itself_by_way_of_others() -> None:
    edges = graph()
    assert set(order(edges)) == set(edges)


def test_the_graph_is_the_real_one() -> None:
    edges = graph()
    assert "reconciler.diagnostics" in edges["reconciler.records"] | edges["reconciler.state.ledger"]
    assert len(edges) > 200
    assert sum(map(len, edges.values())) > 1000


def test_a_circle_through_a_type_is_noticed() -> None:
    edges = graph()
    edges["reconciler.diagnostics"] = {"reconciler.cli.app"}
    with pytest.raises(CycleError):
        order(edges)
