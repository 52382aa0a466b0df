"""The providers of a run, each with its dialect, its transport and its pace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reconciler.engine.local import LocalTransport
from reconciler.engine.ports import Transport, Vendor
from reconciler.engine.workspace import Loaded
from reconciler.media.farm import Farm
from reconciler.providers.base import Dialect, Pace
from reconciler.spec.project import ProviderConfig

Connect = Callable[[ProviderConfig, Dialect, Pace], Transport]
"""Makes the transport of a provider that is reached over a network; it reads the provider's secrets."""

LOCAL = "draft"
"""The kind whose vendor is this process itself: free, repeatable, and gone with it."""


def vendors(loaded: Loaded, needed: frozenset[str], farm: Farm, workers: int, connect: Connect) -> dict[str, Vendor]:
    """The vendors of the aliases that are needed. `workers` bounds the local one: more would only wait for a core."""
    found: dict[str, Vendor] = {}
    for alias in sorted(needed & loaded.dialects.keys()):
        config, dialect = loaded.project.providers[alias], loaded.dialects[alias]
        pace = paced(dialect.pace, config)
        if config.kind == LOCAL:
            limit = min(pace.concurrency, workers)
            local = LocalTransport(dialect, farm)
            found[alias] = Vendor(alias, config.kind, dialect, local, replace(pace, concurrency=limit), durable=False)
        else:
            found[alias] = Vendor(alias, config.kind, dialect, connect(config, dialect, pace), pace)
    return found


def paced(pace: Pace, config: ProviderConfig) -> Pace:
    """The dialect's pace with what the project overrides."""
    rate, interval, timeout = config.requests_per_second, config.poll_interval, config.timeout
    slowest = pace.poll_max if interval is None else float(interval)
    return replace(
        pace,
        requests_per_second=pace.requests_per_second if rate is None else float(rate),
        first_poll=min(pace.first_poll, slowest),
        poll_min=min(pace.poll_min, slowest),
        poll_max=slowest,
        timeout=pace.timeout if timeout is None else float(timeout),
        concurrency=pace.concurrency if config.concurrency is None else config.concurrency,
    )
