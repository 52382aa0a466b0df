"""List what is approved in a project, and what waits for it."""

from __future__ import annotations

from reconciler.frozen import dataclass
from reconciler.plan.approvals import Approval, Approvals
from reconciler.plan.model import Wanted
from reconciler.plan.vendor_drafts import draft_key
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
    rule, lines = loaded.project.approval, workspace.approval_book().approvals
    results, approved = workspace.snapshot(False).generations, workspace.approvals(loaded.project)
    wanted = {w.key: w for w in loaded.wanted}

    def draft(w: Wanted) -> str | None:
        result = results.get(draft_key(w.document))
        return result.sha256 if result else None

    used = [a for a in lines if a.key in wanted and Approvals.of(rule, [a]).allows(w := wanted[a.key], draft(w))]
    return ApprovalList(
        tuple(w for w in loaded.wanted if w.key not in results and approved.refuses(w, draft(w))),
        tuple(used),
        tuple(line for line in lines if line not in used),
    )
