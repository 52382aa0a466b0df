"""Set aside the results of rehearsals: made at an address of this machine, and wanted from a provider elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.plan.locked import facts_of
from reconciler.plan.model import Plan, Wanted
from reconciler.records import Attempt, LockEntry, Snapshot, State
from reconciler.spec.environment import is_local


def is_rehearsal(plan: Plan, wanted: Iterable[Wanted]) -> bool:
    """True if all that a plan buys is bought at addresses of this machine."""
    bought = {step.ident for step in plan.generating() if step.cost.amount != 0}
    return bool(bought) and all(w.rehearses for w in wanted if (w.clip, w.take) in bought)


def was_rehearsed(attempt: Attempt, endpoint: str) -> bool:
    """True if an attempt gave its result at an address of this machine, and `endpoint` is elsewhere."""
    return attempt.state is State.DONE and is_local(attempt.endpoint) and not is_local(endpoint)


def set_aside(
    snapshot: Snapshot, locked: Mapping[str, LockEntry], wanted: Iterable[Wanted]
) -> tuple[Snapshot, frozenset[str]]:
    """Return the records without rehearsals, and the keys of these.

    What a real service made stays, wherever a provider points. So does a result that is not placed yet: it is placed,
    and set aside then.
    """
    adopted = frozenset(key for key in facts_of(locked).rehearsals if _is_known_by_line(snapshot, locked[key]))
    if not (snapshot.rehearsals or adopted):
        return snapshot, frozenset()
    keys = (snapshot.rehearsals | adopted) & {w.key for w in wanted if not w.rehearses}
    keys -= {key for key in keys if key in snapshot.attempts and snapshot.attempts[key].state is State.FETCHED}
    attempts = {k: a for k, a in snapshot.attempts.items() if k not in keys or a.state is not State.DONE}
    generations = {key: generation for key, generation in snapshot.generations.items() if key not in keys}
    return replace(snapshot, attempts=attempts, generations=generations), keys


def _is_known_by_line(snapshot: Snapshot, entry: LockEntry) -> bool:
    """True if the records have nothing of a key but what its line of the lock file says."""
    generation = snapshot.generations.get(entry.key)
    return generation is None or (generation.origin == "locked" and generation.sha256 == entry.sha256)
