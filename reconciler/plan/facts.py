"""Answer a planner's questions about records, lock file and disk: what is stored, bound, placed."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from reconciler.plan.changes import changes
from reconciler.plan.locked import facts_of
from reconciler.plan.model import Change, Disk, OutputFact, Wanted
from reconciler.records import Attempt, Binding, LockEntry, Snapshot, State, column

_ABSENT = OutputFact()


@dataclass(frozen=True)
class PlanFacts:
    """The records, the disk and the lock file (by key) that a plan is computed from.

    `rehearsals` are keys whose results do not count; the records have none of them.
    """

    snapshot: Snapshot
    disk: Disk
    locked: Mapping[str, LockEntry]
    rehearsals: frozenset[str] = frozenset()

    @cached_property
    def results(self) -> Mapping[str, str]:
        """The artifact of each key, by the records."""
        return column(self.snapshot.generations, "sha256")

    @cached_property
    def bound_keys(self) -> Mapping[tuple[str, int], str]:
        """The key that each take holds, by the records."""
        return column(self.snapshot.bindings, "key")

    @cached_property
    def _only_in_lock(self) -> frozenset[str]:
        return only_in_lock(self.snapshot, self.locked)

    @cached_property
    def _locked_keys(self) -> Mapping[tuple[str, int], str]:
        return {(entry.clip, entry.take): key for key, entry in self.locked.items()}

    @cached_property
    def _locked_files(self) -> Collection[str]:
        return {*facts_of(self.locked).contents.values()}

    def line(self, key: str) -> LockEntry | None:
        """Return the line of the lock file for a key, if its result counts."""
        return None if key in self.rehearsals else self.locked.get(key)

    def output(self, path: str | None) -> OutputFact:
        """Return what is at an output path."""
        return _ABSENT if path is None else self.disk.outputs.get(path, _ABSENT)

    def is_ours(self, path: str, fact: OutputFact) -> bool:
        """True if clipform placed the file: by the records, or (in a fresh clone) by the lock file."""
        placed = self.snapshot.placed.get(path)
        return fact.sha256 == placed.sha256 if placed is not None else fact.sha256 in self._locked_files

    def is_foreign(self, path: str | None) -> bool:
        """True if a file of the user's is at an output path."""
        fact = self.output(path)
        return path is not None and fact.exists and not self.is_ours(path, fact)

    def unchanged(self, w: Wanted) -> str | None:
        """Return the artifact of a take with a result if it is in place; None if there is more to look at."""
        sha256 = self.results[w.key]
        if w.beside or w.key in self._only_in_lock:
            return None
        held = sha256 in self.disk.objects if w.output is None else self.output(w.output).sha256 == sha256
        return sha256 if held else None

    def recorded(self, key: str) -> str | None:
        """Return the artifact of a key, wherever it is: by the records, else by the lock file."""
        if (sha256 := self.results.get(key)) is not None:
            return sha256
        entry = self.line(key)
        return None if entry is None else entry.sha256

    def stored(self, key: str) -> str | None:
        """Return the artifact of a key if the store has it: by the records, else by the lock file."""
        sha256 = self.recorded(key)
        return sha256 if sha256 in self.disk.objects else None

    def shared(self, key: str) -> str | None:
        """Return the artifact of a key if the shared cache is asked for it."""
        sha256 = self.recorded(key)
        return sha256 if sha256 in self.disk.shared else None

    def placed(self, w: Wanted) -> str | None:
        """Return the artifact of a take that the store has lost while the output still holds it."""
        sha256 = self.recorded(w.key)
        return sha256 if self.output(w.output).sha256 == sha256 else None

    def copied(self, key: str) -> LockEntry | None:
        """Return the line of the lock file for a key that only it records, if the path that it names holds its content:
        the clip had another name or output there."""
        if key in self.rehearsals or key not in self._only_in_lock:
            return None
        entry = self.locked[key]
        fact = self.output(entry.output)
        return entry if fact.sha256 == entry.sha256 and not fact.barred else None

    def held_key(self, w: Wanted) -> str | None:
        """Return the other key that a take holds: by the records, else (in a fresh clone) by the lock file."""
        held = self.bound_keys.get((w.clip, w.take))
        if held is None:
            held = self._locked_keys.get((w.clip, w.take))
        return held if held != w.key else None

    def would_replace(self, w: Wanted) -> bool:
        """True if a new artifact would replace the one that the take holds or that clipform placed at its output."""
        return self.held_key(w) is not None or self.replaces_output(w)

    def replaces_output(self, w: Wanted) -> bool:
        """True if another file that clipform placed is at the take's output."""
        fact = self.output(w.output)
        is_other = w.key not in self.results or self.results[w.key] != fact.sha256
        return fact.exists and not self.is_foreign(w.output) and is_other

    def guarded(self, wanted: Sequence[Wanted]) -> Mapping[str, Binding]:
        """Return, by path, what protected takes hold that are no longer wanted like that: their files stay. What the
        YAML says counts, and for a clip that is no longer declared, what it said last."""
        keys = {(w.clip, w.take): w.key for w in wanted}
        changed = sorted(ident for ident, key in self.bound_keys.items() if keys.get(ident) != key)
        protect = {w.clip: w.protect for w in wanted} if changed else {}
        return {
            bound.output: bound
            for bound in map(self.snapshot.bindings.__getitem__, changed)
            if bound.output is not None
            and protect.get(bound.clip, bound.protect)
            and (fact := self.output(bound.output)).exists
            and self.is_ours(bound.output, fact)
        }

    def locked_elsewhere(self, key: str, attempt: Attempt | None) -> bool:
        """True if the lock file records a purchase of the key that nobody here allowed to repeat. A local attempt that
        gave no result does not allow it."""
        return self.line(key) is not None and (attempt is None or attempt.state is not State.ABANDONED)

    def changes(self, w: Wanted, pending: Collection[str], names: Mapping[str, str]) -> tuple[Change, ...]:
        """Return what differs from the key that the take is bound to; empty without a binding (the lock file has no
        documents)."""
        bound = self.snapshot.bindings.get((w.clip, w.take))
        return changes(bound.document, w.document, names, pending) if bound is not None else ()

    def movable(self, outputs: Set[str]) -> Mapping[str, deque[str]]:
        """Return, by content, the unchanged files that clipform placed at paths outside `outputs`."""
        paths: dict[str, deque[str]] = defaultdict(deque)
        for path in sorted(self.snapshot.placed.keys() - outputs):
            sha256 = self.snapshot.placed[path].sha256
            if self.output(path).sha256 == sha256:
                paths[sha256].append(path)
        return paths


def only_in_lock(records: Snapshot, locked: Mapping[str, LockEntry]) -> frozenset[str]:
    """Return the keys of which only the lock file says where a result was placed: no record has it, or one that was
    taken from there."""
    origins = column(records.generations, "origin")
    keys = [key for key in locked if origins.get(key, "locked") == "locked"]
    outputs = facts_of(locked).outputs if keys else {}
    return frozenset(key for key in keys if key not in origins or outputs.get(key) not in records.placed)
