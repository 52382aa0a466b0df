"""Decides what a watch does next, from the plan, the reason for planning, the options and the session's memory. Pure.

These steps run without asking: moving or restoring an artifact, and rendering with the draft provider. The provider's
kind decides this and never a price, because a price table may be missing or wrong. With `--yes`, removing undeclared
outputs and downloading the results of paid tasks run without asking too. Neither costs money, but the first deletes a
file and the second may keep the loop busy for minutes.

Each step is tried once per edit, so a failing draft, or an apply that changes its own inputs, cannot repeat forever. A
step that costs money is tried once per session; after that only a key or a click buys it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from decimal import Decimal
from enum import StrEnum

from reconciler.frozen import dataclass
from reconciler.plan.model import GENERATES, Action, Plan, Step
from reconciler.plan.subset import Ident, subset
from reconciler.providers.base import LOCAL


class Cause(StrEnum):
    """The reason for planning again."""

    EDIT = "edit"  # a file was saved, or the watch starts
    AFTER = "after"  # the watch's own apply ended
    APPLY = "a"  # a key: apply the plan on the screen
    SKIP = "s"  # a key: skip the plan on the screen
    QUIT = "q"  # a key
    STOP = "stop"  # a signal


@dataclass(frozen=True, slots=True)
class Click:
    """A click on "apply": apply these clips (None: all) and their dependencies, if their part of the plan still has the
    fingerprint `mark`, which includes its prices. `steps` are the steps of that part."""

    clips: tuple[str, ...] | None
    mark: str
    steps: frozenset[Ident] = frozenset()

    def part(self, plan: Plan) -> Plan:
        """Return the part of a plan that the click requests."""
        return plan if self.clips is None else subset(plan, self.clips)


@dataclass(frozen=True, slots=True)
class Allowance:
    """The user's options. `cap` limits the cost of the session; without it only a key or a click spends money.
    `on_request`: do nothing without a key or a click."""

    yes: bool = False
    cap: Decimal | None = None
    on_request: bool = False


@dataclass(frozen=True, slots=True)
class WatchMemory:
    """What a session remembers between two plans."""

    offered: str = ""  # fingerprint of the plan on the screen, for a key press; empty if skipped
    tried: frozenset[Ident] = frozenset()  # since the last edit
    bought: frozenset[str] = frozenset()  # keys that may have been paid for in this session
    spent: Decimal = Decimal(0)
    edits: int = 0
    born: Mapping[str, int] = field(default_factory=dict)  # key -> number of the edit that introduced it


@dataclass(frozen=True, slots=True)
class Apply:
    """Apply this part of the plan."""

    plan: Plan
    patient: bool  # not interrupted by an edit, because it contains paid steps


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for the next event. `message` answers a key or a click; `offer`: a key may apply this plan."""

    message: str = ""
    offer: bool = True


Next = Apply | Wait


def decide(cause: Cause | Click, plan: Plan, mark: str, terms: Allowance, memory: WatchMemory) -> Next:
    """Return the next thing to do. `mark` is the fingerprint of the plan, or of the part that a click requests: a
    key or a click applies only to the plan that was shown."""
    if isinstance(cause, Click):
        part, same, again = cause.part(plan), mark == cause.mark, "and confirm"
    elif cause is Cause.APPLY:
        part, same, again = plan, mark == memory.offered, "then press a"
    elif cause is Cause.SKIP:
        return Wait("Skipped. Nothing runs until the next edit.", offer=False)
    else:
        return Wait() if terms.on_request else _automatic(plan, terms, memory)
    if not part.has_changes():
        return Wait("There is nothing to apply.")
    if not same:
        return Wait(f"Not applied: the plan has changed. Review it, {again} again.")
    return Apply(part, patient=terms.on_request or not _all_local(part))


def _automatic(plan: Plan, terms: Allowance, memory: WatchMemory) -> Next:
    """Return what to do without a key or a click."""

    def free(step: Step) -> bool:
        return step.ident not in memory.tried and is_free(step, terms)

    def payable(step: Step) -> bool:
        return free(step) or (_is_paid(step) and step.key not in memory.bought)

    if terms.yes and terms.cap is not None:
        batch = allowed_part(plan, payable)
        if any(map(_is_paid, batch.steps)) and not batch.unpriced() and batch.total() <= terms.cap - memory.spent:
            return Apply(batch, patient=True)
    batch = allowed_part(plan, free)
    if not batch.has_changes():
        return Wait()
    return Apply(_newest(batch, memory.born), patient=False) if _all_local(batch) else Apply(batch, patient=True)


def is_free(step: Step, terms: Allowance) -> bool:
    """True if a step runs without asking."""
    match step.action:
        case Action.MOVE | Action.RESTORE | Action.ASSEMBLE:
            return True
        case Action.CREATE | Action.REPLACE:
            return step.kind == LOCAL
        case Action.RESUME:
            return terms.yes or step.kind == LOCAL
        case Action.REMOVE:
            return terms.yes
    return False


def allowed_part(plan: Plan, allowed: Callable[[Step], bool]) -> Plan:
    """Return the allowed steps of a plan whose dependencies are allowed too. A clip keeps its old file until the new
    one is placed. The records of removed clips stay until a full apply."""
    included: list[Step] = []
    excluded: set[Ident] = set()
    waiting: set[str] = set()
    for step in plan.steps:  # dependencies first, removals last
        if step.action is Action.BLOCKED:
            waiting.add(step.clip)
        elif step.action is Action.NOOP or _may(step, allowed, excluded, waiting):
            included.append(step)
        else:
            excluded.add(step.ident)
            waiting.add(step.clip)
    return replace(plan, steps=tuple(included), unbind=())


def _may(step: Step, allowed: Callable[[Step], bool], excluded: set[Ident], waiting: set[str]) -> bool:
    deferred = step.action is Action.REMOVE and step.clip in waiting
    return allowed(step) and not deferred and excluded.isdisjoint(step.needs)


def _newest(plan: Plan, born: Mapping[str, int]) -> Plan:
    """Return the drafts of the newest edit with their dependencies; older drafts follow after these."""
    renders = [step for step in plan.changes() if _renders(step)]
    newest = max((born.get(step.key, 0) for step in renders), default=0)
    needed: set[Ident] = set()
    for step in reversed(renders):
        if born.get(step.key, 0) == newest or step.ident in needed:
            needed |= {step.ident, *step.needs}
    return allowed_part(plan, lambda step: not _renders(step) or step.ident in needed)


def _renders(step: Step) -> bool:
    return step.action in GENERATES or step.action is Action.RESUME


def _all_local(plan: Plan) -> bool:
    """True if no step was or will be paid for, so an edit may interrupt it."""
    return all(step.kind == LOCAL for step in plan.changes() if _renders(step))


def _is_paid(step: Step) -> bool:
    return step.action in GENERATES and step.kind != LOCAL


def record_edit(memory: WatchMemory, plan: Plan) -> WatchMemory:
    """Return the memory after an edit: every free step may be tried again, and new keys belong to this edit."""
    number = memory.edits + 1
    born = {step.key: memory.born.get(step.key, number) for step in plan.steps}
    return replace(memory, tried=frozenset(), edits=number, born=born)


def record_tried(memory: WatchMemory, plan: Plan) -> WatchMemory:
    """Return the memory with the steps of a plan as tried. Call it before they run."""
    return replace(memory, tried=memory.tried | {step.ident for step in plan.changes()})


def record_bought(memory: WatchMemory, plan: Plan) -> WatchMemory:
    """Return the memory with the paid keys of a plan as bought. Call it once its requests may have been sent."""
    return replace(memory, bought=memory.bought | {step.key for step in plan.steps if _is_paid(step)})
