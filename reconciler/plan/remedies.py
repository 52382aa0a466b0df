"""Describe what blocks a clip, and the commands that settle it.

All views use these sentences, and so do `plan` and `apply`, which meet the same block at different times. A remedy is a
shell line: the command, then its meaning and price as a comment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from reconciler import money
from reconciler.events import take_name
from reconciler.frozen import dataclass
from reconciler.next_command import command, quote
from reconciler.plan.approvals import looked_at
from reconciler.plan.model import Action, Plan, Reason, Step, Wanted
from reconciler.plan.vendor_drafts import utc_minute
from reconciler.records import (
    ABANDONED,
    BLOCKED,
    Attempt,
    Binding,
    Generation,
    LockEntry,
    Money,
    State,
    is_paid_failure,
)
from reconciler.spec.values import ApprovalRule

_BLOCKING = {
    State.UNCERTAIN: Reason.UNCERTAIN,
    State.STALLED: Reason.STALLED,
    State.VANISHED: Reason.VANISHED,
    State.NO_OUTPUT: Reason.NO_OUTPUT,
    State.RESULT_EXPIRED: Reason.LINK_EXPIRED,
    State.QUARANTINED: Reason.QUARANTINED,
}
_FINAL = frozenset({"bad input", "moderation"})  # the provider would refuse the same request again
_EXPLAINED = BLOCKED | {State.REFUSED, State.FAILED, State.ABANDONED}  # states whose message says why
COMMENT = "  # "


@dataclass(frozen=True, slots=True)
class Block:
    """Why clipform does not generate a clip on its own, the facts, and the remedies."""

    reason: Reason
    detail: str = ""
    way_out: tuple[str, ...] = ()


def highest_takes(unresolved: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Return the highest take of each clip that waits for a decision: a clip may have had more takes than it has."""
    return {clip: take for clip, take in sorted(unresolved)}


def remedy(command: str, meaning: str) -> str:
    """Return a command with its meaning as a shell comment: the whole line can be copied."""
    return f"{command}{COMMENT}{meaning}"


def command_of(line: str) -> str:
    """Return the command of a remedy without its meaning."""
    command, comment, _ = line.rpartition(COMMENT)
    return command if comment else line


def reason_line(reason: Reason, detail: str) -> str:
    """Return the reason's sentence and the facts in one line."""
    return f"{reason.sentence}: {detail}" if detail else reason.sentence


def of_attempt(attempt: Attempt, *, takes: int = 1, several: bool = False) -> Block | None:
    """Return the block of an attempt that a person must settle; None if the next run may go on. The parameters are
    those of `settle`."""
    detail = describe_attempt(attempt)
    if attempt.state in _BLOCKING:
        return Block(_BLOCKING[attempt.state], detail, settle(attempt, takes=takes, several=several))
    again = _retake(take_name(attempt.clip, attempt.take, takes), attempt.cost_micros, attempt.currency)
    if attempt.state in (State.REFUSED, State.FAILED) and attempt.reason in _FINAL:
        look = remedy(command("show", attempt.clip), "see what was sent (free)")
        return Block(Reason.REFUSED, detail, (look, again))
    if is_paid_failure(attempt):
        return Block(Reason.FAILED_PAID, detail, settle(attempt, takes=takes, several=several))
    if attempt.state is State.ABANDONED and attempt.reason == ABANDONED:
        meaning = "take that back: use the provider's task (free)"
        task = ("--task", attempt.task or "ID")
        return Block(Reason.GIVEN_UP, detail, (remedy(_resolve(attempt, takes, several)(*task), meaning), again))
    return None


def describe_attempt(attempt: Attempt) -> str:
    """Return the facts of an attempt in one line: state, provider, task, time, cost and message."""
    task = f"task {attempt.task}" if attempt.task else "no task id"
    facts = [f"{attempt.state.value.replace('_', ' ')} at {attempt.provider} ({attempt.model})", task]
    if attempt.created:
        facts.append(f"since {utc_minute(attempt.created)}")
    facts.append(_cost(attempt))
    if attempt.message and attempt.state in _EXPLAINED:
        facts.append(attempt.message)
    return ", ".join(facts)


def paid_in_full(attempts: Sequence[Attempt]) -> str:
    """Return what settling several attempts means for money, as a sentence."""
    sums: Counter[str] = Counter()
    for attempt in attempts:
        sums[attempt.currency] += attempt.cost_micros or 0
    amounts = [_money(amount, currency) for currency, amount in sorted(sums.items()) if amount]
    unknown = ["an unknown price"] if any(attempt.cost_micros is None for attempt in attempts) else []
    return f"These {len(attempts)} count as paid in full ({' + '.join([*amounts, *unknown]) or 'free'})."


def _cost(attempt: Attempt) -> str:
    if attempt.money is Money.RELEASED:
        return "not charged"
    if attempt.cost_micros is None:
        return "price unknown"
    bound = "up to " if attempt.money is Money.RESERVED and attempt.cost_micros else ""
    return f"{bound}{_money(attempt.cost_micros, attempt.currency)}"


def _money(micros: int, currency: str) -> str:
    return money.text(money.from_micros(micros), currency)


def settle(attempt: Attempt, *, takes: int = 1, several: bool = False, wanted: bool = True) -> tuple[str, ...]:
    """Return the remedies for an attempt.

    They name the take if the clip has several `takes`, and the attempt if the take has `several` unresolved ones. What
    no clip has `wanted` since is not sent again.
    """
    resolve = _resolve(attempt, takes, several)
    abandon = remedy(resolve("--abandon"), "give it up; it still counts as paid")
    if attempt.state is State.STALLED:
        return (remedy(command("apply", attempt.clip), "check the task again (free)"), abandon)
    resubmit = remedy(resolve("--resubmit"), f"send it again at the next apply ({_second_price(attempt)})")
    again = (resubmit,) if wanted else ()
    if attempt.state is State.FAILED:
        return (*again, _retake(take_name(attempt.clip, attempt.take, takes), attempt.cost_micros, attempt.currency))
    if attempt.state is State.UNCERTAIN:
        return (remedy(resolve("--task", "ID"), "use the provider's task with this ID (free)"), *again, abandon)
    if attempt.task:
        fetch = remedy(resolve("--task", attempt.task), "check this task again (free)")
        return (fetch, *again, abandon)
    return (*again, abandon)


def _resolve(attempt: Attempt, takes: int, several: bool) -> Callable[..., str]:
    which = ("--take", str(attempt.take)) if max(takes, attempt.take) > 1 else ()
    which = ("--attempt", str(attempt.id)) if several else which
    return partial(command, "resolve", attempt.clip, *which)


def _second_price(attempt: Attempt) -> str:
    if attempt.cost_micros == 0:
        return "free"
    is_uncertain = attempt.state is State.UNCERTAIN
    if attempt.cost_micros is None:
        return "may be charged a second time" if is_uncertain else "charged again, price unknown"
    price = _money(attempt.cost_micros, attempt.currency)
    return f"may cost {price} a second time" if is_uncertain else f"costs {price} again"


def _retake(name: str, micros: int | None, currency: str) -> str:
    price = "price unknown" if micros is None else f"costs {_money(micros, currency)}" if micros else "free"
    return remedy(command("retake", name), f"generate a new variation at the next apply ({price})")


def _fetch_again(name: str) -> str:
    return remedy(command("fetch", name.partition("#")[0]), "fetch its task's video (free)")


def artifact_lost(name: str, generation: Generation | None, attempt: Attempt | None) -> Block:
    """Return the block of a clip that is paid for and whose video is missing from the store."""
    source = generation or attempt
    detail = _describe(generation) if generation else describe_attempt(attempt) if attempt else ""
    micros, currency = (source.cost_micros, source.currency) if source else (None, "")
    task = source.task if source is not None else None
    fetch = (_fetch_again(name),) if task else ()
    return Block(Reason.PAID_BEFORE, detail, (*fetch, _retake(name, micros, currency)))


def protected(clip: str, generation: Generation | None, *, path: str = "", gone: bool = False) -> Block:
    """Return the block of a protected clip; its current video stays. `path` is where that is, if another clip wants it;
    `gone` is a clip that the YAML no longer has."""
    holder = f"{path} holds the video of {clip}" if path else ""
    facts = [", which is ".join(filter(None, (holder, "no longer declared" if gone else "")))]
    facts += [_describe(generation)] if generation else []
    if gone:
        line = remedy(command("destroy", clip), "remove its file; the video stays in the store until gc (free)")
    else:
        line = remedy(command("show", clip), "see what would replace it (free); without protect, apply does it")
    return Block(Reason.PROTECTED, ", ".join(filter(None, facts)), (line,))


def protected_file(bound: Binding, generation: Generation | None, *, gone: bool) -> Step:
    """Return the step of a file that stays, although nothing is declared as it is."""
    block = protected(bound.clip, generation, gone=gone)
    step = Step(bound.clip, bound.take, Action.BLOCKED, block.reason, bound.key, output=bound.output)
    made = {name: getattr(generation, name) for name in ("provider", "kind", "model")} if generation else {}
    return replace(step, detail=block.detail, way_out=block.way_out, **made)


def _describe(generation: Generation) -> str:
    facts = [f"generated at {generation.provider} ({generation.model})"]
    facts += [f"task {generation.task}"] if generation.task else []
    facts += [f"on {utc_minute(generation.created)}"] if generation.created else []
    price = generation.cost_micros
    facts.append("price unknown" if price is None else _money(price, generation.currency))
    return ", ".join(facts)


def elsewhere(name: str, entry: LockEntry) -> Block:
    """Return the block of a clip that the lock file records: the provider may still have the result of its task."""
    facts = [f"generated at {entry.provider} ({entry.model})"] if entry.provider else []
    facts += [f"task {entry.task}"] if entry.task else []
    facts += [_money(entry.cost_micros, entry.currency)] if entry.cost_micros is not None else []
    again = _retake(name, entry.cost_micros, entry.currency)
    if not entry.task:
        return Block(Reason.LOCKED_BEFORE, ", ".join(facts), (again,))
    return Block(Reason.LOCKED_BEFORE, ", ".join(facts), (_fetch_again(name), again))


def draft_unusable(name: str, why: str, draft: Generation) -> Block:
    """Return the block of a final whose draft, the take `name`, cannot be used: only a person may buy another draft."""
    return Block(Reason.DRAFT_UNUSABLE, why, (_retake(name, draft.cost_micros, draft.currency),))


def needs_approval(w: Wanted, rule: ApprovalRule) -> Block:
    """Return the block of a take whose key nobody has approved."""
    seen = looked_at(rule, w).replace("_", " ")
    approve = remedy(command("approve", w.clip), f"allow it to be bought, once you have seen its {seen} (free)")
    return Block(Reason.NEEDS_APPROVAL, money.text(w.cost.amount, w.cost.currency), (approve,))


def upstream(clip: str, missing: Iterable[str], verb: str = "needs", *, selected: bool) -> Block:
    """Return the block of a clip whose needs are missing: they are blocked, or (`selected`) not part of this plan."""
    names = sorted(missing)
    if selected:
        lines = [remedy(command("apply", "+" + clip), "apply it with the clips that it needs")]
    else:
        lines = [remedy(command("show", name), f"see what blocks {quote(name)} (free)") for name in names[:3]]
    return Block(Reason.UPSTREAM, f"{verb} {', '.join(names)}", tuple(lines))


def barred(output: str, obstacle: str) -> Block:
    """Return the block of an output path that leads through `obstacle`, which is not a folder."""
    look = remedy(f"ls -l {quote(obstacle)}", "see what it is (free)")
    return Block(Reason.BARRED, f"{obstacle}, in the path {output}, is not a folder", (look,))


def old_file(path: str) -> tuple[str, ...]:
    """Return the remedy for a file that stays at the former output of a clip."""
    return (remedy(f"rm {quote(path)}", "afterwards: remove the old file, which stays (free)"),)


def foreign_file(clip: str, output: str) -> Block:
    """Return the block of a clip whose output path holds a file of the user's."""
    force = remedy(command("apply", "--force", clip), "keep your file under another name and place the video")
    return Block(Reason.FOREIGN, output, (force,))


def with_look_ups(plan: Plan, uncertain: Collection[str], listing: Collection[str], reasons: Mapping[str, str]) -> Plan:
    """Return the plan with a note at each uncertain step: the result of its look-up (`reasons`, by key), or that apply
    will look it up, which is then the first remedy, because it is free.

    `uncertain` has the keys of uncertain requests, `listing` the providers that list their tasks.
    """

    def has_with_look_up(step: Step) -> bool:
        return step.key in uncertain and (step.provider in listing or step.key in reasons) and bool(step.way_out)

    return replace(
        plan, steps=tuple(_with_look_up(step, reasons) if has_with_look_up(step) else step for step in plan.steps)
    )


def _with_look_up(step: Step, reasons: Mapping[str, str]) -> Step:
    if step.key in reasons:
        return replace(step, detail=f"{step.detail}; looked up at {step.provider}: {reasons[step.key]}")
    clip = () if step.reason is Reason.NOT_REFERENCED else (step.clip,)
    look_up = remedy(command("apply", *clip), f"look the request up at {step.provider} (free)")
    detail = f"{step.detail}; will be looked up at {step.provider}"
    return replace(step, detail=detail, way_out=(look_up, *step.way_out))


def at_provider(step: Step, attempt: Attempt) -> Step:
    """Return the step with the provider that has its task: the clip may use another one now."""
    return replace(step, provider=attempt.provider, kind=attempt.kind, model=attempt.model)
