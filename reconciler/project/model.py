"""The values of reading a project: the selection, the loaded project, the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from reconciler.diagnostics import Diagnostic
from reconciler.plan.compute import PlanScope
from reconciler.plan.model import Disk, Plan
from reconciler.project import endpoints
from reconciler.project.endpoints import Site
from reconciler.project.orders import Order
from reconciler.providers.base import Dialect
from reconciler.providers.capabilities import Lists
from reconciler.records import LockEntry, Snapshot
from reconciler.spec.project import Project


@dataclass(frozen=True, slots=True)
class Choice:
    """The clips and options of a command line."""

    clips: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    force: tuple[str, ...] = ()
    draft: bool = False
    refresh: bool = False


@dataclass(frozen=True)
class Loaded:
    """A project without errors: all that its plan depends on but the disk and the records."""

    project: Project
    orders: tuple[Order, ...]
    dialects: Mapping[str, Dialect]  # by provider alias
    warnings: tuple[Diagnostic, ...]

    @cached_property
    def by_ident(self) -> Mapping[tuple[str, int], Order]:
        """The orders by clip and take."""
        return {(order.clip.name, order.take): order for order in self.orders}

    def has(self, site: Site) -> bool:
        """True if the project still has this site; see `endpoints.declares`."""
        return endpoints.declares(self.project, self.dialects, site)

    @cached_property
    def listing(self) -> frozenset[str]:
        """The aliases whose providers have a list of tasks."""
        return frozenset(alias for alias, dialect in self.dialects.items() if isinstance(dialect, Lists))


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and the values that it was computed from."""

    loaded: Loaded
    snapshot: Snapshot
    disk: Disk
    locked: Mapping[str, LockEntry]  # by key
    scope: PlanScope
    plan: Plan
    spent: Mapping[str, int]  # by the project so far, in millionths by currency


Confirm = Callable[[Plan], None]
"""Shows a plan and asks for confirmation; raises Refused if the answer is no."""
