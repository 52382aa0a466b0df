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
    names |= {"running"} if step.action is Action.RESUME and step.reason is not Reason.INTERRUPTED else set()
    names |= {"changed"} if step.action is Action.REPLACE else set()
    return frozenset(names)


def candidates(loaded: Loaded, snapshot: Snapshot, plan: Plan) -> list[Candidate]:
    """Return every declared clip, and those that are no longer declared but still have files."""
    states: dict[str, set[str]] = {}
    for step in plan.steps:
        states.setdefault(step.clip, set()).update(state_words(step))
    picked = [w for w in loaded.wanted if w.output is not None]  # one of each clip
    declared = {w.clip for w in picked}
    present = [
        Candidate(
            w.clip,
            w.declared,
            w.tags,
            tuple(clip for clip, _ in w.needs),
            frozenset(states.get(w.clip, ())),
            w.output or "",
            w.model,
            w.provider,
            tuple(look.name for look in w.looks),
        )
        for w in picked
    ]
    gone = sorted({clip for clip, _ in snapshot.bindings} - declared)
    paths = {bound.clip: bound.output for bound in snapshot.bindings.values() if bound.output}
    return present + [
        Candidate(name, name, states=frozenset(states.get(name, ())), output=paths.get(name, "")) for name in gone
    ]
