"""`clipform plan`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clips: Annotated[
        list[str] | None, typer.Argument(metavar="[CLIP]...", help="Names, globs, tag:, is:, +NAME, NAME+.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="CLIP", help="Leave these out.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Save the plan for apply.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As a comment for a pull request.")] = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 if there are changes.")
    ] = False,
    since: Annotated[
        str | None, typer.Option(metavar="REV", help="Say what changed since a git revision, where no state knows it.")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Plan a free animatic under drafts/.")] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Re-hash outputs instead of trusting their times.")
    ] = False,
) -> None:
    """Show what apply would do, why, what it would cost and how long it should take.

    Exit codes: 0 done, 1 the spec is wrong, 2 there are changes (with --detailed-exitcode), 64 wrong command line.
    """
    from reconciler.project.model import Choice

    own: Context = context.obj
    choice = Choice(tuple(clips or ()), tuple(exclude or ()), draft=draft, refresh=refresh)
    if out is not None:
        from reconciler.engine.run.session import save_plan

        planned = save_plan(own.workspace, choice, own.directory / out)
    else:
        planned = own.workspace.plan(choice, own.workspace.load(draft))
    plan = planned.plan
    if since is not None:
        from reconciler.project.revision import explained

        plan = explained(own.workspace, since, planned, draft=draft)
    if markdown:
        from reconciler.views.markdown import render

        own.view.text(render(plan))
    else:
        own.view.plan(plan)
    if detailed_exitcode and plan.has_changes():
        raise typer.Exit(2)
