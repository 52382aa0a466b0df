"""One clip bought from the real vendor, by the project that has its provider: what no emulator can show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.conform.rehearsal import files_with
from reconciler.diagnostics import Finding, Refused
from reconciler.events import EventKind, Summary
from reconciler.plan.model import Plan
from reconciler.project.model import Choice
from reconciler.project.workspace import Workspace
from reconciler.spec.environment import value_of
from reconciler.spec.project import Project
from reconciler.spec.values import Secret


def require_one_purchase(plan: Plan, project: Project, kind: str) -> None:
    """Raise Refused unless the plan buys exactly one clip, and from a provider of this kind."""
    buying = plan.generating()
    kinds = {project.providers[step.provider].kind for step in buying}
    if len(buying) != 1 or kinds != {kind}:
        text = f"--live needs a plan that buys one clip of kind {kind}; this one buys {len(buying)}"
        names = ", ".join(sorted(kinds - {kind}))
        raise Refused(f"{text}, also of {names}" if names else text, help="make a project with one clip", code="live")


def live_findings(workspace: Workspace, summary: Summary, env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what can be seen after the purchase."""
    failed = [f"{o.result.value}: {o.message}" for o in summary.outcomes if o.result is not EventKind.SUCCEEDED]
    yield Finding("live-clip", not failed, "; ".join(failed) or "the vendor made the clip", "read the message")
    loaded = workspace.load()
    changes = workspace.plan(Choice(), loaded).plan.has_changes()
    detail = "the plan after it has changes" if changes else "the plan after it is empty"
    yield Finding("live-plan", not changes, detail, "look at the plan before you apply again")
    configs = loaded.project.providers.values()
    secrets = [value_of(s, env) for config in configs for s in config.credentials.values() if isinstance(s, Secret)]
    files = [file for secret in secrets if secret for file in files_with(secret, workspace.root / "state")]
    yield Finding("live-secret", not files, ", ".join(files) or "no key is in the records", "see the rule `secrets`")
