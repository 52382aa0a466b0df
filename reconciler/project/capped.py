"""What a project's caps say of a plan, by one count for `plan` and for `apply`. Reads the records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from reconciler.diagnostics import Diagnostic
from reconciler.plan import cost, windows
from reconciler.plan.model import Plan
from reconciler.plan.rehearsals import is_rehearsal
from reconciler.plan.windows import Window
from reconciler.project.model import Loaded
from reconciler.records import LockEntry, Snapshot
from reconciler.state.store import Store


def windows_of(loaded: Loaded, records: Snapshot, locked: Mapping[str, LockEntry]) -> tuple[Window, ...]:
    """Return the caps of a project on days, months and tags."""
    return windows.windows(loaded.project.budget, loaded.wanted, records, locked)


def objections(plan: Plan, loaded: Loaded, capped: tuple[Window, ...], store: Store) -> Iterator[str]:
    """Yield why the caps on days, months and tags forbid a plan, by what the store counts now."""
    budget = loaded.project.budget
    if budget is None or not plan.generating():
        return
    rehearsing = is_rehearsal(plan, loaded.wanted)
    spent = ((cap, store.spent_in(cap, budget.currency, rehearsing=rehearsing)) for cap in capped)
    yield from windows.objections(plan, spent)


def warnings(
    plan: Plan, loaded: Loaded, capped: tuple[Window, ...], spent: Mapping[str, int], open_store: Callable[[], Store]
) -> Iterator[Diagnostic]:
    """Yield why apply will refuse a plan. The store is opened only for a cap that needs its records."""
    reasons: tuple[str, ...] = ()
    if capped and plan.total() + plan.unpriced():
        with open_store() as store:
            reasons = tuple(objections(plan, loaded, capped, store))
    yield from cost.warnings(plan, loaded.project.budget, spent, reasons)
