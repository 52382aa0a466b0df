"""Estimate how long generations take, from this project's history."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.plan.model import GENERATES, Step
from reconciler.records import Snapshot


def typical_seconds(snapshot: Snapshot, kind: str, model: str) -> float | None:
    """Return the median duration of earlier generations by this model; None without history."""
    durations = sorted(snapshot.timings.get((kind, model), ()))
    return durations[len(durations) // 2] if durations else None


def critical_path(steps: Sequence[Step]) -> float | None:
    """Return the seconds of the longest chain of generations; None if no step has an estimate."""
    finish: dict[tuple[str, int], float] = {}
    has_estimate = False
    for step in steps:
        if step.action not in GENERATES:
            continue
        has_estimate = has_estimate or step.expected is not None
        start = max((finish.get(need, 0.0) for need in step.needs), default=0.0)
        finish[step.clip, step.take] = start + (step.expected or 0.0)
    return max(finish.values()) if has_estimate and finish else None
