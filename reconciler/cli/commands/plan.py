"""`clipform plan`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clips: arguments.Clips = None,
    exclude: arguments.Exclude = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Save the plan for apply.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown for a pull request.")] = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 2 if there are changes or blocked clips.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="REV", help="Show what changed since a git revision, whatever local state has."),
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Plan free drafts under drafts/.")] = False,
    max_cost: Annotated[
        str | None, typer.Option(metavar="N", help="Exit with 4 if the plan costs more, or has no known price.")
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Hash outputs again instead of trusting their timestamps.")
    ] = False,
) -> None:
    """Show what apply would do, and why.

    The plan includes the cost and the expected time.

    Exit codes: 0 done, 1 invalid spec, 2 there are changes or blocked clips (with --detailed-exitcode), 4 it costs more
    than --max-cost, 64 wrong command line.
    """
    from reconciler.cli.parsing import amount, require_affordable
    from reconciler.project.model import Choice

    app: Context = context.obj
    choice = Choice(tuple(clips or ()), tuple(exclude or ()), draft=draft, refresh=refresh, shows=True)
    if out is not None:
        from reconciler.engine.run.session import save_plan

        planned = save_plan(app.workspace, choice, app.directory / out)
    else:
        planned = app.workspace.plan(choice, app.workspace.recall(draft))
    plan = planned.plan
    if since is not None:
        from reconciler.project.revision import explained

        plan = explained(app.workspace, since, planned, draft=draft)
    if markdown:
        from reconciler.views.markdown import render

        app.view.text(render(plan))
    else:
        app.view.plan(plan)
    require_affordable(plan, amount(max_cost))
    if detailed_exitcode and (plan.has_changes() or plan.blocked()):
        raise typer.Exit(2)
    if not plan.has_changes():
        app.seal()
