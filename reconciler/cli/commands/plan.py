"""`clipform plan`"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

from reconciler.cli.context import Context
from reconciler.cli.deferred import arguments, typer


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

    Exit codes: 0 done, 1 invalid spec, 2 there are changes or blocked clips (with --detailed-exitcode), 4 the policy
    forbids it, or it costs more than --max-cost, 64 wrong command line.
    """
    from reconciler.cli.parsing import amount, require_affordable
    from reconciler.plan.rules import CODE, require_allowed

    app: Context = context.obj
    save = app.project.plan if out is None else partial(app.project.save_plan, app.directory / out)
    offer = save(*(clips or ()), exclude=exclude or (), draft=draft, refresh=refresh)
    plan = offer.plan if since is None else app.project.since(since, offer, draft=draft)
    if markdown:
        from reconciler.views.markdown import render

        app.view.text(render(plan))
    else:
        app.view.plan(plan)
    require_allowed([each for each in offer.diagnostics if each.code == CODE], are_shown=True)
    require_affordable(plan, amount(max_cost))
    if detailed_exitcode and (plan.has_changes() or plan.blocked()):
        raise typer.Exit(2)
    if not plan.has_changes():
        app.seal()
