"""What people look at before a take is bought: its draft, and who approved its key."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import field

from reconciler.diagnostics import ClipformError
from reconciler.frozen import dataclass
from reconciler.plan.approvals import Approval
from reconciler.project.approved import in_force
from reconciler.project.model import Loaded
from reconciler.project.workspace import Workspace
from reconciler.records import Artifact
from reconciler.spec.values import NO_RULE, ApprovalRule


@dataclass(frozen=True, slots=True)
class Review:
    """The newest draft of each take that is stored here, and the lines that approve a key. It is empty for a page of
    drafts, and for a report."""

    drafts: Mapping[tuple[str, int], Artifact] = field(default_factory=dict)
    approved: Mapping[str, Approval] = field(default_factory=dict)
    rule: ApprovalRule = NO_RULE


NOTHING_TO_REVIEW = Review()


def review_of(workspace: Workspace, loaded: Loaded) -> Review:
    """Return what can be looked at now. Drafts that cannot be read are left out: they are free to make again."""
    drafts: Mapping[tuple[str, int], Artifact] = {}
    with suppress(ClipformError):
        drafts = _drafts(workspace)
    rule = loaded.project.approval
    lines = () if rule.required == "no" else in_force(workspace, loaded)
    return Review(drafts, {line.key: line for line in lines}, rule)


def _drafts(workspace: Workspace) -> Mapping[tuple[str, int], Artifact]:
    records, objects = workspace.snapshot(True), workspace.objects(True)
    results = {ident: records.generations.get(bound.key) for ident, bound in records.bindings.items()}
    videos = {ident: records.artifacts.get(result.sha256) for ident, result in results.items() if result is not None}
    some = {ident: video for ident, video in videos.items() if video is not None}
    stored = {sha256 for sha256, _ in objects.having((video.sha256, video.suffix) for video in some.values())}
    return {ident: video for ident, video in some.items() if video.sha256 in stored}
