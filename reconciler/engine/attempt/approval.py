"""Refuses a purchase that nobody has approved, at the moment when it is decided."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.engine.control import StepEnded
from reconciler.events import EventKind
from reconciler.plan import remedies, vendor_drafts
from reconciler.plan.approvals import Approvals
from reconciler.plan.model import Wanted
from reconciler.plan.remedies import reason_line
from reconciler.records import Generation


def require_approval(approvals: Approvals, w: Wanted, result_of: Callable[[str], Generation | None]) -> None:
    """Raise StepEnded if a key is not approved now, whatever the plan saw: the file may have changed since, and the
    vendor's draft of a final be another one."""
    draft = result_of(key) if (key := vendor_drafts.draft_key(w.document)) else None
    if approvals.refuses(w, draft.sha256 if draft else None):
        block = remedies.needs_approval(w, approvals.rule)
        raise StepEnded(EventKind.BLOCKED, reason_line(block.reason, block.detail), "\n".join(block.way_out))
