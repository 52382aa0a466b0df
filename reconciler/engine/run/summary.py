"""Sums up a run: the outcome of every step, what it spent and what it saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from reconciler.engine.attempt.context import Ports, RunTerms
from reconciler.engine.control import RunControl
from reconciler.engine.run.scheduler import Ident
from reconciler.events import EventKind, Outcome, Summary
from reconciler.money import from_micros
from reconciler.plan import cost
from reconciler.plan.model import Action, Cost, Plan
from reconciler.project.orders import Order


class FinishedRun(Protocol):
    """What a run has done; `Executor` is one."""

    ports: Ports
    terms: RunTerms
    control: RunControl
    orders: Mapping[Ident, Order]
    outcomes: dict[Ident, Outcome]


def summary_of(finished: FinishedRun, plan: Plan, elapsed: float) -> Summary:
    """Return the summary of a run that is over."""
    outcomes, run, store = tuple(finished.outcomes.values()), finished.terms.run, finished.ports.store
    micros = sum(sums.micros for sums in store.spent(run).values()) if run else 0
    spent = from_micros(micros)  # of this run: what an earlier one bought is not counted again
    unpriced = store.unpriced(run) if run else 0
    saved, unknown = cost.saved(_saved(finished, plan))
    in_doubt = store.in_doubt(run) if run else 0
    sums, control = (spent, unpriced, plan.currency, in_doubt, saved, unknown), finished.control
    interrupted = control.event.is_set() and not control.late
    return Summary(outcomes, interrupted, elapsed, *sums, refused=control.refused, late=control.late)


def _saved(finished: FinishedRun, plan: Plan) -> Iterator[Cost]:
    """Yield the prices of the takes that have their video without a request of this run."""
    for step in plan.steps:
        outcome, order = finished.outcomes.get(step.ident), finished.orders.get(step.ident)
        ready = step.action is Action.NOOP or (outcome is not None and outcome.result is EventKind.SUCCEEDED)
        if ready and step.action in cost.WITHOUT_REQUEST and order is not None:
            yield order.wanted.cost
