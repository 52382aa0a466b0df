"""Select clips by the patterns of a command line: names, globs, `tag:`, `is:`, `+NAME` and `NAME+`. Pure.

`[` is part of a matrix clip's name (`social[ratio=16:9,lang=en]`), so only `*` and `?` are wild.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from reconciler.diagnostics import UsageError
from reconciler.next_command import command
from reconciler.spec.graph import closure, dependents


@dataclass(frozen=True, slots=True)
class Candidate:
    """A clip to select from. `states` are the words that `is:` accepts for it."""

    name: str
    declared: str
    tags: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    states: frozenset[str] = frozenset()


def select(patterns: Sequence[str], exclude: Sequence[str], candidates: Sequence[Candidate]) -> frozenset[str] | None:
    """Return the selected names, None for all. Raises UsageError for a pattern that matches no clip."""
    if not patterns and not exclude:
        return None
    graph = _Graph(candidates)
    chosen = {c.name for c in candidates} if not patterns else graph.union(patterns)
    return frozenset(chosen - graph.union(exclude))


class _Graph:
    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = candidates
        self.needs = {c.name: c.needs for c in candidates}

    def union(self, patterns: Iterable[str]) -> set[str]:
        return {name for pattern in patterns for name in self.one(pattern)}

    def one(self, pattern: str) -> Collection[str]:
        """Return the clips of one pattern: `+NAME` adds what it depends on, `NAME+` what depends on it."""
        with_needs, with_users = pattern.startswith("+"), pattern.endswith("+")
        core = pattern[with_needs : len(pattern) - with_users]
        names = [c.name for c in self.candidates if _matches(core, c)]
        if not names:
            raise UsageError(
                f"no clip matches '{core}'{self._suggestion(core)}", help=f"{command('status')} lists all clips"
            )
        needs = closure(names, self.needs) if with_needs else {}
        users = closure(names, dependents(self.needs)) if with_users else {}
        return {*names, *needs, *users}

    def _suggestion(self, core: str) -> str:
        names = sorted({name for c in self.candidates for name in (c.name, c.declared)})
        near = get_close_matches(core, names, n=1) if len(names) <= 2000 else []
        return f"; did you mean '{near[0]}'?" if near else ""


def _matches(core: str, candidate: Candidate) -> bool:
    if core.startswith("tag:"):
        return core[4:] in candidate.tags
    if core.startswith("is:"):
        return core[3:] in candidate.states
    if core in (candidate.name, candidate.declared):
        return True
    if "*" not in core and "?" not in core:
        return False
    wild = {"*": ".*", "?": "."}
    pattern = "".join(wild.get(c) or re.escape(c) for c in core)
    return re.fullmatch(pattern, candidate.name, re.DOTALL) is not None
