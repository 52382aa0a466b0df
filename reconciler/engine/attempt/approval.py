"""Refuses a purchase that nobody has approved, at the moment when it is decided."""

from __future__ import annotations

from reconciler.engine.control import StepEnded
from reconciler.events import EventKind
from reconciler.plan import remedies
from reconciler.plan.approvals import Approvals
from reconciler.plan.model import Wanted
from reconciler.plan.remedies import reason_line


def require_approval(approvals: Approvals, w: Wanted) -> None:
    """Raise StepEnded if a key is not approved now, whatever the plan saw: the file may have changed since."""
    if approvals.refuses(w):
        block = remedies.needs_approval(w, approvals.rule)
        raise StepEnded(EventKind.BLOCKED, reason_line(block.reason, block.detail), "\n".join(block.way_out))
