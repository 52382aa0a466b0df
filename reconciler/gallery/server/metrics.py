"""The figures of a project for Prometheus: steps of the plan, requests in progress, and what was spent.

prometheus-client (the extra `clipform[cluster]`) writes the format. A figure is computed when it is asked for, from the
plan that pages show, so two askers see the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from reconciler import __version__, money
from reconciler.gallery.document.index import PlanIndex
from reconciler.records import BLOCKED, OPEN, Handed

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily


def exposition(index: PlanIndex | None, *, is_broken: bool, now: float) -> tuple[bytes, str]:
    """Return the figures and their content type; `index` is None before the first plan, `now` is UTC seconds."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.exposition import CONTENT_TYPE_LATEST

    registry = CollectorRegistry()
    registry.register(_Figures(index, is_broken, now))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Figures:
    def __init__(self, index: PlanIndex | None, is_broken: bool, now: float) -> None:
        self._index, self._is_broken, self._now = index, is_broken, now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield each figure."""
        from prometheus_client.core import GaugeMetricFamily

        def gauge(
            name: str, text: str, labels: tuple[str, ...], values: Iterable[tuple[Sequence[str], float]]
        ) -> GaugeMetricFamily:
            family = GaugeMetricFamily(f"clipform_{name}", text, labels=labels)
            for label, value in values:
                family.add_metric(label, value)
            return family

        yield gauge("build", "1, with the version of clipform", ("version",), [((__version__,), 1)])
        text = "1 while the project has errors; then the plan is older"
        yield gauge("project_broken", text, (), [((), self._is_broken)])
        if self._index is None:
            return
        plan, records = self._index.planned.plan, self._index.planned.snapshot
        steps = Counter((step.action.value,) for step in plan.steps)
        yield gauge("steps", "Takes of the plan by what an apply would do with them", ("action",), steps.items())
        total = float(plan.total())
        yield gauge("plan_cost", "The known cost of the plan", ("currency",), [((plan.currency,), total)])
        yield gauge("plan_unpriced", "Steps of the plan without a known price", (), [((), plan.unpriced())])
        attempts = [a for a in records.attempts.values() if a.state in OPEN | BLOCKED]
        labels = [(attempt.provider, attempt.state.value) for attempt in attempts]
        yield gauge("attempts", "Requests that are not settled", ("provider", "state"), Counter(labels).items())
        oldest: dict[tuple[str, ...], float] = {}
        for attempt, label in zip(attempts, labels, strict=True):
            oldest[label] = max(oldest.get(label, 0), self._now - attempt.created)
        yield gauge("attempt_age_seconds", "Age of the oldest of these requests", ("provider", "state"), oldest.items())
        orders = Counter((order.account, _standing(order)) for order in records.handed.values())
        yield gauge("orders", "Orders that workers have, by what they wait for", ("account", "state"), orders.items())
        spent = [((currency,), float(money.from_micros(sums))) for currency, sums in records.spent.items()]
        yield gauge("spent", "What is owed or may become so", ("currency",), spent)
        results = Counter((g.provider, g.model, g.origin) for g in records.generations.values())
        yield gauge("results", "Results on record", ("provider", "model", "origin"), results.items())


def _standing(order: Handed) -> str:
    """Return what an open order waits for, in one word."""
    if not order.is_ready:
        return "needs"  # other clips first
    if not order.is_served:
        return "unserved"  # no worker that is running has credentials of its account
    if order.note:
        return "stuck"
    return "carried" if order.holder else "queued"
