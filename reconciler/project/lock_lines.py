"""The lines of `clipform.lock`, as a plan asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.plan.locked import Locked, facts_of
from reconciler.plan.model import Wanted
from reconciler.records import LockEntry
from reconciler.state import lockfile


def parse(text: str, name: str) -> Locked:
    """Return the lines of a lock file by key. Raises SpecError."""
    facts = lockfile.facts(text)
    if facts is None:
        lines = _by_key(lockfile.loads(text, name))
        return Locked(facts_of(lines), lambda: lines)
    # The text itself is not kept: it is larger than all that is made from it.
    return Locked(facts, lambda: _by_key(lockfile.loads(lockfile.text_of(facts), name)))


def _by_key(entries: Iterable[LockEntry]) -> Mapping[str, LockEntry]:
    """Return lines by key: of several takes with one, the one that says where the video was placed."""
    return {entry.key: entry for entry in sorted(entries, key=lambda entry: entry.output is not None)}


def output_paths(wanted: Sequence[Wanted], locked: Mapping[str, LockEntry]) -> frozenset[str]:
    """Return the paths of outputs, and those that the lock file has for these keys."""
    paths = frozenset(path for w in wanted for path in (w.output, w.beside) if path)
    stated = facts_of(locked).outputs
    other = (locked[w.key].output for w in wanted if stated.get(w.key, w.output) not in paths and w.key in stated)
    return paths.union(path for path in other if path)


NO_LINES = Locked(facts_of({}), dict)
