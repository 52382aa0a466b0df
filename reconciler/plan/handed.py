"""Describes the progress of what others carry out: workers, or other working copies. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.plan.remedies import describe_attempt
from reconciler.records import Attempt, Handed, Holder


def standing(order: Handed) -> str:
    """Return who carries out an open order, since when, or why it waits."""
    since, changed = _time(order.since), _time(order.changed)
    if not order.is_ready:
        return f"queued since {since}; it waits for the clips that it needs"
    if not order.is_served:
        return f"queued since {since}; no worker that is running has the credentials of account {order.account}"
    if order.note:
        return f"{order.note} ({order.holder}, {changed})"
    if order.holder:
        return f"{order.holder} carries it out since {changed}"
    return f"queued since {since} for a worker with account {order.account}"


def elsewhere(attempt: Attempt, holder: Holder) -> str:
    """Return who carries out an attempt, since when, and its facts."""
    return f"{holder.name} since {_time(holder.since)}; {describe_attempt(attempt)}"


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S} UTC"
