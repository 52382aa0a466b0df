"""`clipform approve-plan`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.context import Context

if TYPE_CHECKING:
    from reconciler import Plan


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
    from reconciler import read_plan
    from reconciler.views.approved import plan_line

    app: Context = context.obj
    path = app.directory / plan
    app.use_overlay(read_plan(path).overlay)

    def confirm(present: Plan) -> None:
        app.confirm(present, yes=False, question=f"Approve {plan_line(present)}?", in_full=True)

    signature = app.project.approve_plan(path, confirm, key)
    app.view.note(f"Signed: {app.shown_path(signature)}.", {"signature": str(signature), "plan": str(path)})
