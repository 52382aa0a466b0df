"""List what is approved in a project, and what waits for it."""

from __future__ import annotations

from reconciler.frozen import dataclass
from reconciler.plan.approvals import Approval, Approvals, content_of
from reconciler.plan.model import Wanted
from reconciler.project.model import Loaded
from reconciler.project.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ApprovalList:
    """Takes that wait, approvals of what a clip wants, and approvals that no clip uses or that do not count."""

    waiting: tuple[Wanted, ...]
    approved: tuple[Approval, ...]
    unused: tuple[Approval, ...]


def listed(workspace: Workspace) -> ApprovalList:
    """Return the approvals of a project. Raises SpecError."""
    loaded = workspace.recall()
    results, approved = workspace.snapshot(False).generations, workspace.approvals(loaded.project)
    content = content_of(results.get)
    used = in_force(workspace, loaded)
    return ApprovalList(
        tuple(w for w in loaded.wanted if w.key not in results and approved.refuses(w, content)),
        used,
        tuple(line for line in workspace.approval_book().approvals if line not in used),
    )


def in_force(workspace: Workspace, loaded: Loaded) -> tuple[Approval, ...]:
    """Return the lines that approve what a clip is now."""
    rule, content = loaded.project.approval, content_of(workspace.snapshot(False).generations.get)
    wanted = {w.key: w for w in loaded.wanted}
    lines = [line for line in workspace.approval_book().approvals if line.key in wanted]
    return tuple(a for a in lines if Approvals.of(rule, [a]).allows(wanted[a.key], content))
