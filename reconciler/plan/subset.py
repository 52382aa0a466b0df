"""The part of a plan that some clips are: their own steps and those that they need, each needed step alone. Pure.

It is what a person means who says "this one": what depends on the clip, and other takes of what it needs, are left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from reconciler.plan.model import Action, Plan, Step

Ident = tuple[str, int]


class Subsets:
    """A plan, ready to be asked for many portions of it."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._at = {step.ident: (place, step) for place, step in enumerate(plan.steps)}
        self._own: dict[str, list[Step]] = defaultdict(list)
        blocked = {step.clip for step in plan.blocked()}
        for step in plan.changes():
            if step.action is not Action.REMOVE or step.clip not in blocked:  # a clip keeps its file until it is made
                self._own[step.clip].append(step)

    def steps(self, clips: Iterable[str]) -> tuple[Step, ...]:
        """What would be done for these clips, in the plan's order."""
        queue = [step for clip in clips for step in self._own.get(clip, ())]
        found: dict[Ident, None] = {}
        while queue:
            step = queue.pop()
            if step.ident not in found:
                found[step.ident] = None
                queue += [self._at[need][1] for need in step.needs if self._changes(need)]
        return tuple(step for _, step in sorted((self._at[ident] for ident in found), key=lambda pair: pair[0]))

    def _changes(self, ident: Ident) -> bool:
        return ident in self._at and self._at[ident][1].action not in (Action.NOOP, Action.BLOCKED)


def subset(plan: Plan, clips: Iterable[str]) -> Plan:
    """The plan with nothing to do but what these clips are and need. Records of clips that are gone are left."""
    chosen = {step.ident for step in Subsets(plan).steps(clips)}
    kept = (step for step in plan.steps if step.action is Action.NOOP or step.ident in chosen)
    return replace(plan, steps=tuple(kept), unbind=())
