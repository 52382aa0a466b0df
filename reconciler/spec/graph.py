"""Dependency graphs: order, dependents and closure. A graph maps each node to the nodes that it needs."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterable, Mapping
from graphlib import TopologicalSorter
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def in_order(needs: Mapping[Node, Iterable[Node]]) -> list[Node]:
    """Return every node after the nodes that it needs, otherwise in the mapping's order.

    Needs outside the mapping are ignored. Raises graphlib.CycleError.
    """
    rank = {node: i for i, node in enumerate(needs)}
    if all(rank.get(need, -1) < i for node, i in rank.items() for need in needs[node]):
        return list(rank)
    nodes = list(rank)
    sorter = TopologicalSorter({node: [need for need in needs[node] if need in rank] for node in nodes})
    sorter.prepare()
    ready: list[int] = []
    ordered: list[Node] = []
    while sorter.is_active():
        for node in sorter.get_ready():
            heapq.heappush(ready, rank[node])
        node = nodes[heapq.heappop(ready)]
        ordered.append(node)
        sorter.done(node)
    return ordered


def dependents(needs: Mapping[Node, Iterable[Node]]) -> dict[Node, list[Node]]:
    """Return the nodes that need each node, in the mapping's order; nodes that nothing needs are absent."""
    users: dict[Node, list[Node]] = {}
    for node, needed in needs.items():
        for need in dict.fromkeys(needed):
            users.setdefault(need, []).append(node)
    return users


def closure(start: Iterable[Node], edges: Mapping[Node, Iterable[Node]]) -> dict[Node, None]:
    """Return the nodes of `start` and all that their edges lead to, nearest first."""
    nodes = dict.fromkeys(start)
    queue = list(nodes)
    for node in queue:
        for neighbour in edges.get(node, ()):
            if neighbour not in nodes:
                nodes[neighbour] = None
                queue.append(neighbour)
    return nodes
