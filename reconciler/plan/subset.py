"""Take the part of a plan for some clips: their own steps, and the single steps that these need. Pure.

Steps that depend on the clips, and other takes of the clips that they need, are not part of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from reconciler.plan.cascades import part_of
from reconciler.plan.model import Action, Plan, Step

Ident = tuple[str, int]


class Subsets:
    """A plan that is indexed for many subsets."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._at = {step.ident: (position, step) for position, step in enumerate(plan.steps)}
        self._by_clip: dict[str, list[Step]] = defaultdict(list)
        blocked = {step.clip for step in plan.blocked()}
        for step in plan.changes():
            if step.action is not Action.REMOVE or step.clip not in blocked:  # a blocked clip keeps its file
                self._by_clip[step.clip].append(step)

    def steps(self, clips: Iterable[str]) -> tuple[Step, ...]:
        """Return the steps for these clips in the plan's order."""
        queue = [step for clip in clips for step in self._by_clip.get(clip, ())]
        idents: set[Ident] = set()
        while queue:
            step = queue.pop()
            if step.ident not in idents:
                idents.add(step.ident)
                queue += [self._at[need][1] for need in step.needs if self._changes(need)]
        return tuple(step for _, step in sorted((self._at[ident] for ident in idents), key=lambda pair: pair[0]))

    def _changes(self, ident: Ident) -> bool:
        return ident in self._at and self._at[ident][1].action not in (Action.NOOP, Action.BLOCKED)


def subset(plan: Plan, clips: Iterable[str]) -> Plan:
    """Return the plan with only the steps for these clips and the noops; records of undeclared clips stay."""
    idents = {step.ident for step in Subsets(plan).steps(clips)}
    steps = tuple(step for step in plan.steps if step.action is Action.NOOP or step.ident in idents)
    return replace(plan, steps=steps, unbind=(), cascades=part_of(plan.cascades, idents))
