"""Build the rows of `status` from a plan."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from reconciler.plan.model import GENERATES, Action, Reason, Step, Wanted
from reconciler.plan.remedies import reason_line
from reconciler.plan.timing import typical_seconds
from reconciler.project.model import Planned
from reconciler.project.pace import slots
from reconciler.records import Attempt, State
from reconciler.views.base import StatusRow
from reconciler.views.format import micros

_IN_SLOT = frozenset({State.SUBMITTING, State.ACCEPTED, State.UNCERTAIN, State.STALLED})
_STATES = {
    Action.NOOP: "ready",
    Action.CREATE: "new",
    Action.REPLACE: "changed",
    Action.RESUME: "running",
    Action.RESTORE: "restorable",
    Action.MOVE: "moved",
    Action.ASSEMBLE: "to assemble",
    Action.REMOVE: "undeclared",
    Action.BLOCKED: "blocked",
}


def status(planned: Planned, now: float) -> list[StatusRow]:
    """Return a row for each take, in plan order; `now` is Unix time."""
    wanted = {(w.clip, w.take): w for w in planned.loaded.wanted}
    rows = [_status(step, wanted.get((step.clip, step.take)), planned, now) for step in planned.plan.steps]
    return _with_holders(rows, planned) if planned.snapshot.holders else rows


def _with_holders(rows: list[StatusRow], planned: Planned) -> list[StatusRow]:
    """Return the rows with what a shared state says of them: who makes a clip, and why one cannot be sent yet."""
    full = _full(planned)
    generating = {step.ident: full.get(step.provider, "") for step in planned.plan.generating()}

    def with_holder(row: StatusRow) -> StatusRow:
        attempt = planned.snapshot.attempts.get(row.key)
        holder = planned.snapshot.holders.get(attempt.id) if attempt is not None else None
        if holder is not None and holder.is_held:
            return replace(row, by=holder.name, began=holder.since)
        return replace(row, waits_for=generating.get((row.clip, row.take), ""))

    return [with_holder(row) for row in rows]


def _full(planned: Planned) -> dict[str, str]:
    """Return, by alias, who has the slots of an account without a free one. The account of an alias is the one that its
    requests under way were bought with; nothing is said where they were bought with several."""
    configs = planned.loaded.project.providers
    holders = [holder for holder in planned.snapshot.holders.values() if holder.state in _IN_SLOT and holder.account]
    texts = {}
    for alias, most in slots(planned.loaded.project, planned.loaded.dialects).items():
        accounts = {holder.account for holder in holders if holder.provider == alias}
        names = Counter(holder.name for holder in holders if holder.account in accounts)
        if len(accounts) == 1 and names.total() >= most:
            who = ", ".join(f"{name} {count}" for name, count in sorted(names.items()))
            account = configs[alias].spec.account or alias
            texts[alias] = f"{names.total()} of {most} slots of {account} are taken ({who})"
    return texts


def _status(step: Step, wanted: Wanted | None, planned: Planned, now: float) -> StatusRow:
    generation = planned.snapshot.generations.get(step.key)
    attempt = planned.snapshot.attempts.get(step.key)
    state, detail = standing(step, attempt)
    running = attempt if state == "running" else None
    return StatusRow(
        clip=step.clip,
        take=step.take,
        picked=wanted is None or wanted.output is not None,
        state=state,
        detail=reason_line(step.reason, step.detail) if step.action is Action.BLOCKED else detail or step.headline,
        way_out=step.way_out,
        provider=step.provider,
        model=step.model,
        output=step.output,
        cost=micros(generation.cost_micros) if generation else None,
        estimate=wanted.cost.amount if wanted else None,
        currency=(generation.currency if generation else "") or (wanted.cost.currency if wanted else ""),
        age=now - generation.created if generation and generation.created else None,
        key=step.key,
        takes=step.takes,
        phase=running.state.value if running else "",
        since=max(0.0, now - running.created) if running else None,
        expected=typical_seconds(planned.snapshot, step.kind, step.model) if running else None,
    )


def standing(step: Step, attempt: Attempt | None) -> tuple[str, str]:
    """Return a take's state in one word, and the facts beside the plan's reason."""
    if attempt is not None and attempt.state in (State.REFUSED, State.FAILED) and step.action in GENERATES:
        return "failed", attempt.message or attempt.reason
    return state_of(step), step.detail


def state_of(step: Step) -> str:
    """Return the state of a step's take in one word. A video that another clip still has to generate is new."""
    words = {Reason.SHARED: "new", Reason.INTERRUPTED: "interrupted", Reason.HANDED: "queued"}
    return words.get(step.reason) or _STATES[step.action]
