"""Turn a plan's clips into the candidates that the patterns of a command line select from."""

from __future__ import annotations

from reconciler.plan.model import Action, Plan, Reason, Step
from reconciler.project.model import Loaded
from reconciler.project.selectors import Candidate
from reconciler.records import Snapshot


def state_words(step: Step) -> frozenset[str]:
    """Return the words that `is:` accepts for a step: its action, its reason and their common names."""
    names = {step.action.value, step.reason.value, step.reason.value.replace("_", "-")}
    names |= {"ready"} if step.action is Action.NOOP else {"pending"}
    names |= {"failed"} if step.reason in (Reason.FAILED_BEFORE, Reason.REFUSED) else set()
    names |= {"running"} if step.action is Action.RESUME else set()
    names |= {"changed"} if step.action is Action.REPLACE else set()
    return frozenset(names)


def candidates(loaded: Loaded, snapshot: Snapshot, plan: Plan) -> list[Candidate]:
    """Return every declared clip, and those that are no longer declared but still have files."""
    states: dict[str, set[str]] = {}
    for step in plan.steps:
        states.setdefault(step.clip, set()).update(state_words(step))
    declared = {clip.name for clip in loaded.project.clips}
    models = {order.clip.name: order.wanted.model for order in loaded.orders}
    present = [
        Candidate(
            clip.name,
            clip.declared,
            clip.spec.tags,
            clip.depends_on(),
            frozenset(states.get(clip.name, ())),
            clip.spec.output,
            models[clip.name],
            clip.spec.provider,
        )
        for clip in loaded.project.clips
    ]
    gone = sorted({clip for clip, _ in snapshot.bindings} - declared)
    paths = {bound.clip: bound.output for bound in snapshot.bindings.values() if bound.output}
    return present + [
        Candidate(name, name, states=frozenset(states.get(name, ())), output=paths.get(name, "")) for name in gone
    ]
