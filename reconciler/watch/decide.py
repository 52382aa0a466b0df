"""What a watch does next: a pure decision from the plan, why it was made, the terms, and what was done before.

Free without asking is what moves or restores a file of ours, and what the draft provider renders. It goes by the
provider's kind and never by a price: a price table may say nothing, or zero, and be wrong. With `--yes`, removing what
is no longer declared and collecting what was paid for before are free too: neither costs money, but one takes a file
away and the other may keep the loop waiting for minutes.

Everything is tried once for each edit, so that a draft that fails, or an apply that changes what its own plan rests on,
cannot go round and round. What costs money is tried once in a session: after that only a key press buys it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from reconciler.plan.model import GENERATES, Action, Plan, Step
from reconciler.plan.subset import subset
from reconciler.providers.base import LOCAL

Ident = tuple[str, int]

_FOLDERS = frozenset({"state", "drafts", ".git"})
_LOCK_FILE = "clipform.lock"
_PART = re.compile(r"\..*\.part")


class Cause(StrEnum):
    """Why we look again."""

    EDIT = "edit"  # something was saved, or the watch begins
    AFTER = "after"  # our own apply ended
    APPLY = "a"  # a key: do what is on the screen
    SKIP = "s"  # a key: not this one
    QUIT = "q"  # a key
    STOP = "stop"  # a signal


@dataclass(frozen=True, slots=True)
class Click:
    """Why we look again: a click on a page. Do what these clips are and need, all for None, if that is what `mark`
    names: the plan that was on the page, with its prices. `steps` are those that it is about."""

    clips: tuple[str, ...] | None
    mark: str
    steps: frozenset[Ident] = frozenset()

    def of(self, plan: Plan) -> Plan:
        """What it is about in a plan."""
        return plan if self.clips is None else subset(plan, self.clips)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What was allowed beforehand. `cap` bounds what the whole session may cost; without one only a key press pays.
    `asked`: nothing is done but what a key or a click asks for."""

    yes: bool = False
    cap: Decimal | None = None
    asked: bool = False


@dataclass(frozen=True, slots=True)
class WatchMemory:
    """What a session remembers between two looks."""

    offered: str = ""  # the mark of the plan that a key press is about: on the screen, and not skipped
    tried: frozenset[Ident] = frozenset()  # since the last edit
    bought: frozenset[str] = frozenset()  # keys that were sent to be paid for in this session
    spent: Decimal = Decimal(0)
    edits: int = 0
    born: Mapping[str, int] = field(default_factory=dict)  # key -> the edit that brought it


@dataclass(frozen=True, slots=True)
class Apply:
    """Carry this part of the plan out."""

    plan: Plan
    patient: bool  # left to finish when an edit comes in: it holds what was paid for


@dataclass(frozen=True, slots=True)
class Rest:
    """Wait for the next event; `message` is for whoever pressed a key. `offer`: a key press may have this plan."""

    message: str = ""
    offer: bool = True


Next = Apply | Rest


def decide(cause: Cause | Click, plan: Plan, mark: str, terms: Allowance, memory: WatchMemory) -> Next:
    """The next thing to do. `mark` names the plan, for a click what it is about of the plan: a key press or a click is
    good for what was shown only."""
    if isinstance(cause, Click):
        what, same, again = cause.of(plan), mark == cause.mark, "and confirm"
    elif cause is Cause.APPLY:
        what, same, again = plan, mark == memory.offered, "then press a"
    elif cause is Cause.SKIP:
        return Rest("Skipped: nothing is done until the next edit.", offer=False)
    else:
        return Rest() if terms.asked else _unasked(plan, terms, memory)
    if not what.has_changes():
        return Rest("There is nothing to apply.")
    if not same:
        return Rest(f"Not applied: this plan was not the one on the screen. Look at it, {again} again.")
    return Apply(what, patient=terms.asked or not _all_local(what))


def _unasked(plan: Plan, terms: Allowance, memory: WatchMemory) -> Next:
    def free(step: Step) -> bool:
        return step.ident not in memory.tried and is_free(step, terms)

    def payable(step: Step) -> bool:
        return free(step) or (_is_paid(step) and step.key not in memory.bought)

    if terms.yes and terms.cap is not None:
        batch = part(plan, payable)
        if any(map(_is_paid, batch.steps)) and not batch.unpriced() and batch.total() <= terms.cap - memory.spent:
            return Apply(batch, patient=True)
    batch = part(plan, free)
    if not batch.has_changes():
        return Rest()
    return Apply(_newest(batch, memory.born), patient=False) if _all_local(batch) else Apply(batch, patient=True)


def is_free(step: Step, terms: Allowance) -> bool:
    """Whether a step is done without asking."""
    match step.action:
        case Action.MOVE | Action.RESTORE:
            return True
        case Action.CREATE | Action.REPLACE:
            return step.kind == LOCAL
        case Action.RESUME:
            return terms.yes or step.kind == LOCAL
        case Action.REMOVE:
            return terms.yes
    return False


def part(plan: Plan, allowed: Callable[[Step], bool]) -> Plan:
    """What is allowed of a plan, without what needs a step that is not. Clips keep a file until its successor is made.

    The records of clips that are gone are left for a whole apply to forget.
    """
    kept: list[Step] = []
    left: set[Ident] = set()
    waiting: set[str] = set()
    for step in plan.steps:  # dependencies first, removals last
        if step.action is Action.BLOCKED:
            waiting.add(step.clip)
        elif step.action is Action.NOOP or _may(step, allowed, left, waiting):
            kept.append(step)
        else:
            left.add(step.ident)
            waiting.add(step.clip)
    return replace(plan, steps=tuple(kept), unbind=())


def _may(step: Step, allowed: Callable[[Step], bool], left: set[Ident], waiting: set[str]) -> bool:
    held = step.action is Action.REMOVE and step.clip in waiting
    return allowed(step) and not held and left.isdisjoint(step.needs)


def _newest(plan: Plan, born: Mapping[str, int]) -> Plan:
    """The drafts of the newest edit with what they need; the others get their turn when these are there."""
    makes = [step for step in plan.changes() if _renders(step)]
    newest = max((born.get(step.key, 0) for step in makes), default=0)
    needed: set[Ident] = set()
    for step in reversed(makes):
        if born.get(step.key, 0) == newest or step.ident in needed:
            needed |= {step.ident, *step.needs}
    return part(plan, lambda step: not _renders(step) or step.ident in needed)


def _renders(step: Step) -> bool:
    return step.action in GENERATES or step.action is Action.RESUME


def _all_local(plan: Plan) -> bool:
    """Whether nothing in it was or will be paid for, so that an edit may cut it short."""
    return all(step.kind == LOCAL for step in plan.changes() if _renders(step))


def _is_paid(step: Step) -> bool:
    return step.action in GENERATES and step.kind != LOCAL


def edited(memory: WatchMemory, plan: Plan) -> WatchMemory:
    """After an edit: everything free may be tried again, and keys that were not there before are the newest."""
    number = memory.edits + 1
    born = {step.key: memory.born.get(step.key, number) for step in plan.steps}
    return replace(memory, tried=frozenset(), edits=number, born=born)


def trying(memory: WatchMemory, plan: Plan) -> WatchMemory:
    """Before a part of a plan is carried out."""
    return replace(memory, tried=memory.tried | {step.ident for step in plan.changes()})


def buying(memory: WatchMemory, plan: Plan) -> WatchMemory:
    """Once its requests may have gone out: these keys are bought again by a key press only."""
    return replace(memory, bought=memory.bought | {step.key for step in plan.steps if _is_paid(step)})


def is_ours(path: str, outputs: Collection[str]) -> bool:
    """Whether a path below the project is one that we write: what happens there is no edit.

    A path is text with `/`, relative to the root. `outputs` are those of every plan of the session.
    """
    first, _, _ = path.partition("/")
    ours = first in _FOLDERS or path == _LOCK_FILE or is_part(path)
    return ours or unicodedata.normalize("NFC", path) in outputs


def is_part(path: str) -> bool:
    """Whether a path is a file of ours that is not whole yet."""
    return _PART.fullmatch(path.rpartition("/")[2]) is not None
