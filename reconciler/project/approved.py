"""List what is approved in a project, and what waits for it."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.frozen import dataclass
from reconciler.plan.approvals import Approval, Approvals
from reconciler.plan.model import Wanted
from reconciler.plan.vendor_drafts import draft_key
from reconciler.project.model import Loaded
from reconciler.project.workspace import Workspace
from reconciler.records import Generation


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
    used = in_force(workspace, loaded)
    return ApprovalList(
        tuple(w for w in loaded.wanted if w.key not in results and approved.refuses(w, _draft(w, results))),
        used,
        tuple(line for line in workspace.approval_book().approvals if line not in used),
    )


def in_force(workspace: Workspace, loaded: Loaded) -> tuple[Approval, ...]:
    """Return the lines that approve what a clip is now."""
    rule, results = loaded.project.approval, workspace.snapshot(False).generations
    wanted = {w.key: w for w in loaded.wanted}
    lines = [line for line in workspace.approval_book().approvals if line.key in wanted]
    return tuple(a for a in lines if Approvals.of(rule, [a]).allows(w := wanted[a.key], _draft(w, results)))


def _draft(w: Wanted, results: Mapping[str, Generation]) -> str | None:
    draft = results.get(draft_key(w.document))
    return draft.sha256 if draft else None
