"""The lines of `clipform.lock`, as a plan asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from reconciler.plan.locked import Locked, facts_of
from reconciler.plan.model import Wanted
from reconciler.records import LockEntry
from reconciler.state import lockfile
from reconciler.state.paths import LOCK_FILE


class LockLines:
    """The lock file's entries, as written and by key. A file whose facts can be seen is not read before an entry is
    asked for."""

    def __init__(self, text: str, name: str) -> None:
        """Raises SpecError."""
        self._text, self._name = text, name
        facts = lockfile.facts(text) or facts_of(_by_key(self.entries))
        self.by_key = Locked(facts, lambda: _by_key(self.entries))

    @cached_property
    def entries(self) -> tuple[LockEntry, ...]:
        """The entries, sorted."""
        return lockfile.loads(self._text, self._name)


def _by_key(entries: Iterable[LockEntry]) -> Mapping[str, LockEntry]:
    """Return lines by key: of several takes with one, the one that says where the video was placed."""
    return {entry.key: entry for entry in sorted(entries, key=lambda entry: entry.output is not None)}


def output_paths(wanted: Sequence[Wanted], locked: Mapping[str, LockEntry]) -> frozenset[str]:
    """Return the paths of outputs, and those that the lock file has for these keys."""
    paths = frozenset(path for w in wanted for path in (w.output, w.beside) if path)
    stated = facts_of(locked).outputs
    other = (locked[w.key].output for w in wanted if stated.get(w.key, w.output) not in paths and w.key in stated)
    return paths.union(path for path in other if path)


NO_LINES = LockLines(lockfile.dumps(()), LOCK_FILE)
