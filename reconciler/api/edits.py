"""The calls that edit the files of a project and its approvals. None of them buys anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.api.calls import Calls
from reconciler.diagnostics import UsageError

if TYPE_CHECKING:
    from reconciler.engine.operations.edit_spec import Edit
    from reconciler.engine.operations.seams import SeamEdit
    from reconciler.engine.operations.undo import Undone
    from reconciler.plan.approvals import Approval
    from reconciler.plan.model import Plan
    from reconciler.project.approved import ApprovalList
    from reconciler.project.model import Confirm


class Edits(Calls):
    """Edits of a project. A clip is named as its YAML names it."""

    __slots__ = ()

    def retake(self, clip: str, take: int | None = None) -> Edit:
        """Raise `retake` of a clip, or of one take: the next plan generates it again."""
        from reconciler.engine.operations.edit_spec import retake

        return retake(self._access().workspace, clip, take)

    def pick(self, clip: str, take: int) -> Edit:
        """Choose the take that goes to the output."""
        from reconciler.engine.operations.edit_spec import pick

        return pick(self._access().workspace, clip, take)

    def undo(self, clip: str, take: int | None = None, *, draft: bool = False) -> Undone:
        """Go back to the version of a take before the present one."""
        from reconciler.engine.operations.undo import undo

        return undo(self._access().workspace, clip, take, draft=draft)

    def freeze(self, clip: str) -> tuple[SeamEdit, bool]:
        """Keep the frames that a clip was made from; also say whether each has a version to keep."""
        from reconciler.engine.operations.seams import freeze

        with self._access().session("freeze") as session:
            return freeze(session, clip)

    def thaw(self, clip: str, confirm: Confirm | None = None) -> tuple[SeamEdit, Plan]:
        """Let a clip follow its neighbours again; also return what the next plan would do for that. `confirm` gets it
        first if it would buy anything, and raises Refused to change nothing."""
        from reconciler.engine.operations.seams import thaw

        workspace = self._access().workspace
        edit, plan = thaw(workspace, clip)
        if confirm is not None and plan.generating():
            confirm(plan)
        edit.write(workspace)
        return edit, plan

    def format(self, *, check: bool = False, sort: bool = False) -> list[str]:
        """Format the YAML files, or with `check` only return the names of those that would change."""
        from reconciler.engine.operations.format_specs import unformatted, write_texts

        workspace = self._access().workspace
        texts = unformatted(workspace, sort=sort)
        if not check:
            write_texts(workspace, texts)
        return list(texts)

    def approvals(self) -> ApprovalList:
        """Return what is approved, and what waits for it."""
        from reconciler.project.approved import listed

        return listed(self._access().workspace)

    def approve(self, clips: Sequence[str], take: int | None = None, message: str = "") -> tuple[Approval, ...]:
        """Approve what these clips are now, and return the lines that were added."""
        from reconciler.engine.operations.approve import approve

        return approve(self._access().workspace, clips, take, message)

    def disapprove(self, clips: Sequence[str]) -> tuple[Approval, ...]:
        """Take back approvals, and return the lines that were removed."""
        from reconciler.engine.operations.approve import disapprove

        return disapprove(self._access().workspace, clips)

    def approve_plan(self, file: Path, confirm: Confirm, key: Path | None = None) -> Path:
        """Sign a saved plan, once `confirm` has agreed to what it does now, and return the signature. Raises UsageError
        for a plan that does nothing, Refused for a stale one."""
        from reconciler.project import approved_plan, policy

        access, content = self._access(), policy.content(file)
        plan = approved_plan.review(access.workspace, content, file.name).plan
        if not plan.has_changes():
            raise UsageError("this plan does nothing, so there is nothing to approve")
        signing = key or approved_plan.signing_key(self.root, self.env)
        confirm(plan)
        return approved_plan.sign(file, content, signing)
