"""The values of reading a project: the selection, the loaded project, the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from functools import cache, cached_property
from typing import Any, TypeVar

from reconciler.diagnostics import ClipformError, Diagnostic
from reconciler.frozen import dataclass
from reconciler.plan.compute import PlanScope
from reconciler.plan.model import Disk, Plan, Wanted
from reconciler.project import endpoints
from reconciler.project.endpoints import Site
from reconciler.project.orders import Order
from reconciler.providers.base import Dialect
from reconciler.providers.capabilities import Lists
from reconciler.records import Binding, LockEntry, Snapshot
from reconciler.spec.project import Project, cut_inputs, local_inputs

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice:
    """The clips and options of a command line."""

    clips: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    force: tuple[str, ...] = ()
    draft: bool = False
    refresh: bool = False
    pull: bool = False  # take free videos from the shared cache too, as paid ones
    look: bool = False  # show these clips only, planned with all others
    shows: bool = False  # a film among them brings what it shows


class Later(Sequence[T]):
    """Values that are computed when one is asked for."""

    def __init__(self, compute: Callable[[], Sequence[T]]) -> None:
        self._compute = compute

    def __getitem__(self, index: Any) -> Any:
        return self._values[index]

    def __len__(self) -> int:
        return len(self._values)

    @cached_property
    def _values(self) -> Sequence[T]:
        return self._compute()


@dataclass(frozen=True)
class Loaded:
    """A project without errors: all that its plan depends on but the disk and the records."""

    project: Project
    orders: Sequence[Order]
    dialects: Mapping[str, Dialect]  # by provider alias
    warnings: tuple[Diagnostic, ...]
    rows: tuple[Wanted, ...] | None = None  # of the orders, if these are read later
    files: frozenset[str] | None = None  # the local inputs then
    cuts: tuple[Wanted, ...] = ()  # the films, each after those that it shows
    cut_files: Mapping[str, str] = field(default_factory=dict)  # the paths of their local inputs, by SHA-256

    @cached_property
    def wanted(self) -> tuple[Wanted, ...]:
        """What the orders want, in their order, then the cuts. Reads no clip."""
        rows = tuple(order.wanted for order in self.orders) if self.rows is None else self.rows
        return (*rows, *self.cuts)

    @cached_property
    def inputs(self) -> frozenset[str]:
        """The paths of all local inputs. Reads no clip."""
        clips = frozenset(local_inputs(self.project.clips)) if self.files is None else self.files
        return clips.union(cut_inputs(self.project.cuts))

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
    renamed: tuple[tuple[Binding, Binding], ...] = ()  # bindings under a former name, and under the present one


def read_later(loaded: Loaded, rows: tuple[Wanted, ...], files: frozenset[str], read: Callable[[], Loaded]) -> Loaded:
    """Return a project with these rows and local inputs, whose clips and orders are read when one is asked for. That
    raises ClipformError if the project wants something else then."""
    wanted = (*rows, *loaded.cuts)  # not `loaded`: its clips take a third of all memory

    @cache
    def whole() -> Loaded:
        present = read()
        if present.wanted != wanted:
            text = "the project changed while it was read"
            raise ClipformError(text, help="run the command again", code="changing")
        return present

    project = replace(loaded.project, clips=Later(lambda: whole().project.clips))
    orders = Later(lambda: whole().orders)
    return replace(loaded, project=project, orders=orders, rows=rows, files=files)


Confirm = Callable[[Plan], None]
"""Shows a plan and asks for confirmation; raises Refused if the answer is no."""
