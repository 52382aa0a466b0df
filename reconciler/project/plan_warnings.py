"""What there is to say of what a plan would buy: prices that are old, keys that are missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from reconciler.diagnostics import Diagnostic
from reconciler.plan import prices
from reconciler.plan.model import Plan
from reconciler.project import endpoints
from reconciler.project.model import Loaded


def of_purchases(plan: Plan, loaded: Loaded, env: Mapping[str, str], today: date) -> list[Diagnostic]:
    """Return the warnings about a plan's purchases."""
    paid = {step.provider for step in plan.generating()} & set(loaded.project.providers)
    bought_at = [(loaded.project.providers[alias], loaded.dialects[alias]) for alias in sorted(paid)]
    dated = [w for config, _ in bought_at for w in prices.warnings(config, today)]
    keys = [w for config, dialect in bought_at for w in endpoints.missing_credentials(config, dialect, env)]
    return [*keys, *dated]
