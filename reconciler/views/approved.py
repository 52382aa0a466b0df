"""Say what is approved, and what waits for it."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler import money
from reconciler.plan.approvals import Approval
from reconciler.plan.model import Plan, Wanted
from reconciler.project.approved import ApprovalList
from reconciler.project.saved_plan import review_digest
from reconciler.state.paths import APPROVALS
from reconciler.views import format
from reconciler.views.terminal.sanitize import safe


def added(name: str, lines: Sequence[Approval]) -> str:
    """Return what `approve` did."""
    if not lines:
        return f"{safe(name)} is approved already."
    return f"Approved {_names(lines)}: {APPROVALS} has the line{'s' if len(lines) > 1 else ''}, for git."


def removed(name: str, lines: Sequence[Approval]) -> str:
    """Return what `disapprove` did."""
    return f"No longer approved: {_names(lines)}." if lines else f"{safe(name)} was not approved."


def listing(listed: ApprovalList) -> str:
    """Return what waits, what is approved, and what no clip wants any more."""
    lines = [f"waits     {safe(w.name)}  {money.text(w.cost.amount, w.cost.currency)}" for w in listed.waiting]
    lines += [f"approved  {_line(line)}" for line in listed.approved]
    lines += [f"unused    {_line(line)}" for line in listed.unused]
    return "\n".join(lines or ["Nothing is approved, and nothing waits for it."])


def data(listed: ApprovalList) -> dict[str, object]:
    """Return the same as a JSON document."""
    return {
        "waiting": [_wanted(w) for w in listed.waiting],
        "approved": [line_data(line) for line in listed.approved],
        "unused": [line_data(line) for line in listed.unused],
    }


def line_data(a: Approval) -> dict[str, object]:
    """Return a line as a JSON object."""
    return {"take": a.name, "key": a.key, "of": a.of, "seen": a.seen, "at": a.at, "by": a.by, "note": a.note}


def plan_line(plan: Plan) -> str:
    """Return what is asked about when a plan is to be signed: its digest, its clips and what it costs."""
    count = format.clips(len({step.clip for step in plan.generating()}), len(plan.generating()))
    return f"plan {review_digest(plan)}: {count} to buy, {format.plan_total(plan)}"


def _wanted(w: Wanted) -> dict[str, object]:
    amount = None if w.cost.amount is None else money.plain(w.cost.amount)
    return {"clip": w.clip, "take": w.take, "key": w.key, "cost": {"amount": amount, "currency": w.cost.currency}}


def _line(a: Approval) -> str:
    note = f": {a.note}" if a.note else ""
    return safe(f"{a.name}  {a.at} by {a.by}{note}")


def _names(lines: Sequence[Approval]) -> str:
    return ", ".join(safe(line.name) for line in lines)
