"""Plan for what no clip declares any more: paid tasks, which are finished, and outputs, which are removed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from reconciler.plan import remedies
from reconciler.plan.facts import PlanFacts
from reconciler.plan.model import Action, Reason, Step, Wanted
from reconciler.providers.base import LOCAL
from reconciler.records import BLOCKED, OPEN, Attempt, Binding, State, column


class Leftovers:
    """The records of a project that its takes do not use. `steps` are the takes' own, complete; `guarded` are the paths
    of protected videos (`PlanFacts.guarded`)."""

    def __init__(
        self,
        facts: PlanFacts,
        wanted: Sequence[Wanted],
        steps: Mapping[tuple[str, int], Step],
        guarded: Mapping[str, Binding],
    ) -> None:
        self._facts, self._steps, self._guarded = facts, steps, guarded
        self._keys = {w.key for w in wanted}
        self._outputs = {w.output for w in wanted if w.output}
        self._takes = Counter([w.clip for w in wanted])
        bindings = facts.snapshot.bindings
        self.undeclared = [bindings[ident] for ident in sorted(ident for ident in bindings if ident not in steps)]

    @cached_property
    def _most(self) -> Mapping[str, int]:
        """How many takes each clip has, or had at most if it is not declared."""
        attempts = self._facts.snapshot.attempts.values()
        idents = [*self._facts.snapshot.bindings, *((a.clip, a.take) for a in attempts)]
        return remedies.highest_takes(idents) | self._takes

    def _of_take(self, step: Step) -> Step:
        return replace(step, takes=self._most.get(step.clip, 1))

    def unreferenced(self, unplaced: Collection[str], unresolved: Mapping[tuple[str, int], int]) -> Iterator[Step]:
        """Yield the requests whose key no take wants: they finish, and their results are stored.

        An uncertain one still waits for its answer: it may be money. `unplaced` are wanted keys that are treated the
        same way, `unresolved` counts the open attempts of each take.
        """
        keys, highest = self._keys - set(unplaced), remedies.highest_takes(unresolved)
        for key, attempt in sorted(self._facts.snapshot.attempts.items(), key=lambda pair: pair[1].id):
            is_lost = attempt.state is State.FETCHED and self._facts.stored(key) is None
            if key in keys or is_lost or _ends(attempt) or attempt.state not in OPEN | BLOCKED:
                continue
            step = self._of_take(_finish(key, attempt))
            if attempt.state in BLOCKED:
                take = (attempt.clip, attempt.take)
                several = take in self._steps or unresolved[take] > 1  # the wanted version may become unresolved too
                takes = max(self._takes[attempt.clip], highest[attempt.clip])
                lines = remedies.settle(attempt, takes=takes, several=several, wanted=key in self._keys)
                step = replace(step, action=Action.BLOCKED, way_out=lines)
            yield step

    def removals(self, moved: Collection[str]) -> Iterator[Step]:
        """Yield the removals of outputs that no take uses; those in `moved` get a new path instead."""
        reserved = self._outputs | set(moved)
        for bound in self.undeclared:
            path = bound.output
            if path is None or path in reserved:
                continue
            if path in self._guarded:
                generation = self._facts.snapshot.generations.get(bound.key)
                yield self._of_take(remedies.protected_file(bound, generation, gone=bound.clip not in self._takes))
                continue
            fact = self._facts.output(path)
            if fact.exists:
                reason = Reason.UNDECLARED if self._facts.is_ours(path, fact) else Reason.EDITED
                yield self._of_take(Step(bound.clip, bound.take, Action.REMOVE, reason, bound.key, output=path))
        yield from self._old_paths(reserved)

    def _old_paths(self, reserved: Collection[str]) -> Iterator[Step]:
        """Yield the removals of outputs whose clip is still declared, with another path and another key."""
        paths = column(self._facts.snapshot.bindings, "output")
        for clip, take in sorted(ident for ident, path in paths.items() if path is not None and path not in reserved):
            path, step = paths[clip, take], self._steps.get((clip, take))
            if step is None:
                continue
            if step.action is Action.BLOCKED or path in self._guarded:
                continue
            fact = self._facts.output(path)
            if fact.exists and self._facts.is_ours(path, fact):
                key = self._facts.bound_keys[clip, take]
                yield self._of_take(Step(clip, take, Action.REMOVE, Reason.UNDECLARED, key, output=path))


def _ends(attempt: Attempt) -> bool:
    """True for a draft that no clip wants: the next run closes it."""
    return attempt.kind == LOCAL and attempt.state is not State.FETCHED


def _finish(key: str, attempt: Attempt) -> Step:
    return Step(
        clip=attempt.clip,
        take=attempt.take,
        action=Action.RESUME,
        reason=Reason.NOT_REFERENCED,
        key=key,
        provider=attempt.provider,
        kind=attempt.kind,
        model=attempt.model,
        detail=remedies.describe_attempt(attempt),
    )
