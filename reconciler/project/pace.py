"""How fast a provider is used: the pace of its dialect, with what the project overrides."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from reconciler.providers.base import LOCAL, Dialect, Pace
from reconciler.spec.project import Project, ProviderConfig


def paced(pace: Pace, config: ProviderConfig, workers: int = 0) -> Pace:
    """Return the dialect's pace with what the project overrides. `workers` bounds the local provider."""
    rate, interval, timeout = config.spec.requests_per_second, config.spec.poll_interval, config.spec.timeout
    slowest = pace.poll_max if interval is None else float(interval)
    concurrency = pace.concurrency if config.spec.concurrency is None else config.spec.concurrency
    return replace(
        pace,
        requests_per_second=pace.requests_per_second if rate is None else float(rate),
        first_poll=min(pace.first_poll, slowest),
        poll_min=min(pace.poll_min, slowest),
        poll_max=slowest,
        timeout=pace.timeout if timeout is None else float(timeout),
        concurrency=min(concurrency, workers) if config.kind == LOCAL and workers else concurrency,
    )


def slots(project: Project, dialects: Mapping[str, Dialect]) -> dict[str, int]:
    """Return how many tasks of each provider run side by side."""
    workers, configs = os.cpu_count() or 1, project.providers
    return {alias: paced(dialect.pace, configs[alias], workers).concurrency for alias, dialect in dialects.items()}
