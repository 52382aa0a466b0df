"""Estimate how long generations take, from this project's history."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from reconciler.plan.model import GENERATES, Step
from reconciler.records import Snapshot


def typical_seconds(snapshot: Snapshot, kind: str, model: str) -> float | None:
    """Return the median duration of earlier generations by this model; None without history."""
    durations = sorted(snapshot.timings.get((kind, model), ()))
    return durations[len(durations) // 2] if durations else None


def run_seconds(steps: Sequence[Step], slots: Mapping[str, int]) -> float | None:
    """Return how long the generations of a plan take; None if no step has an estimate.

    That is the longest chain, or the rounds that a provider needs whose `slots` are too few for all at once.
    """
    chain = critical_path(steps)
    if chain is None:
        return None
    work: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        if step.action in GENERATES:
            work[step.provider].append(step)
    return max(chain, *(_rounds(group, slots.get(alias, 1)) for alias, group in work.items()))


def _rounds(steps: Sequence[Step], slots: int) -> float:
    known = [step.expected for step in steps if step.expected is not None]
    return math.ceil(len(steps) / slots) * sum(known) / len(known) if known else 0.0


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
