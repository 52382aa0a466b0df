"""`clipform approve-plan`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.context import Context
from reconciler.diagnostics import UsageError


def run(
    context: typer.Context,
    plan: Annotated[Path, typer.Argument(metavar="PLANFILE", help="A plan that `plan --out` has saved.")],
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The ssh key that signs; by default git's, else yours.")
    ] = None,
) -> None:
    """Show a saved plan, ask, and sign it.

    It asks on a terminal, and nothing answers for you. The signature is written beside the plan, as PLANFILE.sig. With
    policy {apply: approved-plans}, apply buys nothing but a plan that one of the allowed signers has signed, once, and
    only while nothing has changed since.

    Exit codes: 0 done, 1 the spec is invalid or ssh-keygen did not sign, 4 stale, or not confirmed, 64 wrong command
    line.
    """
    from reconciler.project import approved_plan, policy, saved_plan
    from reconciler.views.approved import plan_line

    app: Context = context.obj
    path = app.directory / plan
    data = policy.content(path)
    app.use_overlay(saved_plan.parse(data, path.name).overlay)
    planned = approved_plan.review(app.workspace, data, path.name)
    if not planned.plan.has_changes():
        raise UsageError("this plan does nothing, so there is nothing to approve")
    signing = key or approved_plan.signing_key(app.workspace.root, app.workspace.env)
    app.confirm(planned.plan, yes=False, question=f"Approve {plan_line(planned.plan)}?", in_full=True)
    signature = approved_plan.sign(path, data, signing)
    app.view.note(f"Signed: {app.shown_path(signature)}.", {"signature": str(signature), "plan": str(path)})
