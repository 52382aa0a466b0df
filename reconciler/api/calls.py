"""What all calls of a program have in common: the project, and which of its clips a pattern means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.api.access import Access
from reconciler.clock import Clock
from reconciler.diagnostics import ClipformError, UsageError
from reconciler.frozen import dataclass
from reconciler.spec.project import ProjectOverlay

if TYPE_CHECKING:
    from reconciler.project.model import Loaded
    from reconciler.project.orders import Order
    from reconciler.project.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Calls:
    """A project as a program names it. `_held` is the access of a command, whose calls share what was read."""

    root: Path
    clock: Clock
    env: Mapping[str, str]
    overlay: ProjectOverlay = ProjectOverlay()
    _held: Access | None = None

    def names(self, pattern: str, *, whole: bool = False) -> tuple[str, ...]:
        """Return the clips that a pattern selects. A name that cannot be selected is returned: records may still have
        it. `whole`: a matrix clip has one name, as its YAML has. Raises UsageError for any other pattern that matches
        no clip."""
        from reconciler.project.model import Choice

        is_name = not set(":*?+") & set(pattern.partition("[")[0])
        if whole and is_name and "[" not in pattern:
            return (pattern,)  # the edit reports a name that no clip has
        workspace = self._access().workspace
        try:
            loaded = workspace.load()
            if any(clip.name == pattern for clip in loaded.project.clips):
                return (pattern,)
            plan = workspace.plan(Choice((pattern,)), loaded).plan
        except ClipformError:
            if not is_name:
                raise
            return (pattern,)
        return tuple(dict.fromkeys(step.clip for step in plan.steps))

    def workspace(self) -> Workspace:
        """Return what reads the project, for what is beside this API: a watch, a page, a report."""
        from reconciler.project.workspace import Workspace

        return Workspace(self.root, self.clock, self.env, self.overlay)

    def _access(self, trust: bool = False) -> Access:
        """Return what a call has of the project. `trust` agrees to what the project asks for beyond the ordinary."""
        if self._held is not None:
            self._held.trusts |= trust
            return self._held
        return Access(self.workspace(), trusts=trust)


def require_named(loaded: Loaded, clip: str) -> None:
    """Raise UsageError if no clip has this name."""
    if all(order.clip.name != clip for order in loaded.orders):
        from reconciler.project.selectors import no_clip

        raise no_clip(clip, loaded.project.cuts)


def one_order(loaded: Loaded, clip: str, take: int | None) -> Order:
    """Return the order of a clip's take, by default the picked one. Raises UsageError if there is none."""
    require_named(loaded, clip)
    orders = [order for order in loaded.orders if order.clip.name == clip]
    number = orders[0].clip.spec.pick if take is None else take
    for order in orders:
        if order.take == number:
            return order
    raise UsageError(f"{clip} has no take {number}; it has {len(orders)}")
