"""Which clips a command line means: names, globs, `tag:`, `is:`, and their neighbours in the dependency graph. Pure.

`[` is part of a matrix clip's name (`social[ratio=16:9,lang=en]`), so only `*` and `?` are wild.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from reconciler.diagnostics import UsageError


@dataclass(frozen=True, slots=True)
class Candidate:
    """A clip that may be meant. `states` are the words that `is:` knows it by."""

    name: str
    declared: str
    tags: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    states: frozenset[str] = frozenset()


def select(patterns: Sequence[str], exclude: Sequence[str], candidates: Sequence[Candidate]) -> frozenset[str] | None:
    """The names meant, None for all. Raises UsageError for a pattern that means no clip."""
    if not patterns and not exclude:
        return None
    graph = _Graph(candidates)
    chosen = {c.name for c in candidates} if not patterns else graph.union(patterns)
    return frozenset(chosen - graph.union(exclude))


class _Graph:
    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = candidates
        self.needs: Mapping[str, Sequence[str]] = {c.name: c.needs for c in candidates}
        users: dict[str, list[str]] = defaultdict(list)
        for candidate in candidates:
            for need in candidate.needs:
                users[need].append(candidate.name)
        self.users: Mapping[str, Sequence[str]] = users

    def union(self, patterns: Iterable[str]) -> set[str]:
        found: set[str] = set()
        for pattern in patterns:
            found |= self.one(pattern)
        return found

    def one(self, pattern: str) -> set[str]:
        """`+NAME` adds what it depends on, `NAME+` what depends on it."""
        before, after = pattern.startswith("+"), pattern.endswith("+")
        core = pattern[before : len(pattern) - after]
        found = {c.name for c in self.candidates if _means(core, c)}
        if not found:
            raise UsageError(f"no clip matches '{core}'{self._near(core)}", help="clipform status lists all clips")
        chosen = set(found)
        if before:
            chosen |= _closure(found, self.needs)
        if after:
            chosen |= _closure(found, self.users)
        return chosen

    def _near(self, core: str) -> str:
        names = sorted({name for c in self.candidates for name in (c.name, c.declared)})
        near = get_close_matches(core, names, n=1) if len(names) <= 2000 else []
        return f"; did you mean '{near[0]}'?" if near else ""


def _means(core: str, candidate: Candidate) -> bool:
    if core.startswith("tag:"):
        return core[4:] in candidate.tags
    if core.startswith("is:"):
        return core[3:] in candidate.states
    if core in (candidate.name, candidate.declared):
        return True
    if "*" not in core and "?" not in core:
        return False
    return _wild(core).fullmatch(candidate.name) is not None


def _wild(core: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(c) or re.escape(c) for c in core), re.DOTALL)


def _closure(start: Collection[str], edges: Mapping[str, Sequence[str]]) -> set[str]:
    found = set(start)
    queue = list(start)
    for name in queue:
        for neighbour in edges.get(name, ()):
            if neighbour not in found:
                found.add(neighbour)
                queue.append(neighbour)
    return found
