"""Refuses a purchase that nobody has approved, at the moment when it is decided."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.engine.control import StepEnded
from reconciler.events import EventKind
from reconciler.plan import remedies
from reconciler.plan.approvals import Approvals, content_of
from reconciler.plan.model import Wanted
from reconciler.plan.remedies import reason_line
from reconciler.records import Generation


def require_approval(approvals: Approvals, w: Wanted, result_of: Callable[[str], Generation | None]) -> None:
    """Raise StepEnded if a key is not approved now, whatever the plan saw: the file may have changed since, and the
    vendor's draft of a final be another one."""
    if approvals.refuses(w, content_of(result_of)):
        block = remedies.needs_approval(w, approvals.rule)
        raise StepEnded(EventKind.BLOCKED, reason_line(block.reason, block.detail), "\n".join(block.way_out))
