"""Finds the task that a final is made from, at the moment when it is sent."""

from __future__ import annotations

from reconciler.engine.attempt.context import AttemptContext
from reconciler.engine.control import StepEnded
from reconciler.events import EventKind
from reconciler.plan import remedies, vendor_drafts
from reconciler.plan.remedies import reason_line
from reconciler.project.orders import Order
from reconciler.providers.base import MediaRef


def task_of(context: AttemptContext, order: Order) -> MediaRef:
    """Return the task of the very draft that the key of an order names. Raises StepEnded if it cannot be used now,
    whatever the plan saw, or if it was made at another address, where tasks are others."""
    store, key = context.ports.store, vendor_drafts.draft_key(order.wanted.document)
    draft = store.generation(key)
    if draft is None:
        raise StepEnded(EventKind.SKIPPED, f"{order.clip.draft} has not been made")
    attempt = next((a for a in reversed(store.attempts(key)) if a.task == draft.task), None)
    why = vendor_drafts.obstacle(draft, attempt, context.provider.alias, context.ports.clock.now())
    if not why and attempt is not None and attempt.endpoint != context.provider.endpoint:
        why = f"its draft is at {attempt.endpoint}"
    if why or draft.task is None:
        block = remedies.draft_unusable(order.clip.name, why, draft)
        raise StepEnded(EventKind.BLOCKED, reason_line(block.reason, block.detail), "\n".join(block.way_out))
    return MediaRef("task", draft.task)
