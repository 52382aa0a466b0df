"""Select clips by the patterns of a command line. Pure.

These are names, also of a declaration with a matrix or a table, globs, some values of a matrix (`social[lang=en]`),
`tag:`, `look:`, `is:`, `path:`, `model:`, `provider:`, `changed:REV`, `+NAME` and `NAME+`. `[` is part of a matrix
clip's name (`social[ratio=16:9,lang=en]`), so only `*` and `?` are wild.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from difflib import get_close_matches

from reconciler.diagnostics import UsageError
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.spec.graph import closure, dependents
from reconciler.spec.project import Cut
from reconciler.spec.values import final_name


@dataclass(frozen=True, slots=True)
class Candidate:
    """A clip to select from. `states` are the words that `is:` accepts for it."""

    name: str
    declared: str
    tags: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    states: frozenset[str] = frozenset()
    output: str = ""
    model: str = ""
    provider: str = ""
    looks: tuple[str, ...] = ()


Since = Callable[[str], Collection[str]]
"""Returns the clips that changed since a git revision."""


def _no_revision(name: str) -> Collection[str]:
    raise UsageError(f"changed:{name} cannot be used here")


def select(
    patterns: Sequence[str], exclude: Sequence[str], candidates: Sequence[Candidate], since: Since = _no_revision
) -> frozenset[str] | None:
    """Return the selected names, None for all. Raises UsageError for a pattern that matches no clip."""
    if not patterns and not exclude:
        return None
    graph = _Graph(candidates, since)
    chosen = {c.name for c in candidates} if not patterns else graph.union(patterns)
    return frozenset(chosen - graph.union(exclude))


def no_clip(name: str, films: Iterable[Cut]) -> UsageError:
    """Return the error for a name that no clip has; a film of that name has clips to choose from."""
    film = next((film for film in films if film.name == name), None)
    if film is None:
        return UsageError(f"no clip is named '{name}'", help=f"{command('status')} lists all clips")
    needs = film.needs()
    few = ", ".join(needs[:6]) + (", …" if len(needs) > 6 else "")
    return UsageError(f"{name} is a film; this needs a clip", help=f"it shows {few}" if needs else "")


class _Graph:
    def __init__(self, candidates: Sequence[Candidate], since: Since) -> None:
        self.candidates, self.since = candidates, since
        self.needs = {c.name: c.needs for c in candidates}

    def union(self, patterns: Iterable[str]) -> set[str]:
        return {name for pattern in patterns for name in self.one(pattern)}

    def one(self, pattern: str) -> Collection[str]:
        """Return the clips of one pattern: `+NAME` adds what it depends on, `NAME+` what depends on it."""
        with_needs, with_users = pattern.startswith("+"), pattern.endswith("+")
        core = pattern[with_needs : len(pattern) - with_users]
        changed = self.since(core[8:]) if core.startswith("changed:") else None
        names = [c.name for c in self.candidates if (c.name in changed if changed is not None else _matches(core, c))]
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
    sort, _, value = core.partition(":")
    match sort:
        case "tag":
            return value in candidate.tags
        case "look":
            return value in candidate.looks
        case "is":
            return value in candidate.states
        case "path" | "model" | "provider":
            return _globs(value, candidate.output if sort == "path" else getattr(candidate, sort))
    final = final_name(candidate.name)  # a vendor's draft is bought for it, and selected with it
    if core == candidate.declared or _globs(core, candidate.name) or _globs(core, final):
        return True
    declared, wanted = _coordinates(core)
    return bool(wanted) and declared == candidate.declared and wanted <= _coordinates(final)[1]


def _globs(pattern: str, text: str) -> bool:
    """True if a text matches a pattern in which only `*` and `?` are wild."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == text
    wild = {"*": ".*", "?": "."}
    return re.fullmatch("".join(wild.get(c) or re.escape(c) for c in pattern), text, re.DOTALL) is not None


def _coordinates(name: str) -> tuple[str, set[str]]:
    """Split `social[ratio=16:9,lang=en]` into its declaration and `{"ratio=16:9", "lang=en"}`."""
    declared, _, values = name.removesuffix("]").partition("[")
    return declared, set(filter(None, values.split(",")))
