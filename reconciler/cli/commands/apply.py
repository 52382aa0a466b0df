"""`clipform apply`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.context import Context
from reconciler.diagnostics import UsageError

if TYPE_CHECKING:
    from reconciler.project.model import Choice


def run(
    context: typer.Context,
    clips: Annotated[
        list[str] | None, typer.Argument(metavar="[CLIP]... | PLANFILE", help="Which clips, or a saved plan.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="CLIP", help="Leave these out.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    force: Annotated[
        list[str] | None, typer.Option(metavar="CLIP", help="Move your own file at its output aside.")
    ] = None,
    max_cost: Annotated[str | None, typer.Option(metavar="N", help="Refuse a plan that costs more.")] = None,
    locked: Annotated[bool, typer.Option("--locked", help="Refuse to generate anything.")] = False,
    draft: Annotated[bool, typer.Option("--draft", help="Make a free animatic under drafts/.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Submit and return; a later apply collects.")] = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first failure.")] = False,
) -> None:
    """Make what is missing, restore what is at hand, remove what is no longer declared.

    Exit codes: 0 done, 1 the spec is wrong, 3 some clips failed or are blocked, 4 refused to spend, 5 another process
    holds the state, 64 wrong command line, 130 interrupted.
    """
    from reconciler.cli.parsing import amount, plan_file
    from reconciler.engine.run.apply import ApplyOptions, apply
    from reconciler.engine.run.session import open_session
    from reconciler.project.model import Choice

    own: Context = context.obj
    saved = plan_file(own.directory, clips or [], lambda name: _means_clips(own, Choice((name,), draft=draft)))
    choice = Choice(tuple(clips or ()), tuple(exclude or ()), tuple(force or ()), draft)
    asked = ApplyOptions(saved.choice if saved else choice, saved, locked, amount(max_cost), detach, fail_fast)
    with open_session(own.workspace, "apply", asked.choice.draft) as session:
        summary = apply(
            session,
            asked,
            lambda plan: own.confirm(plan, yes=yes or saved is not None, question="Apply this plan?"),
            own.view,
            own.connect,
        )
    own.view.summary(summary)
    raise typer.Exit(summary.exit_code)


def _means_clips(own: Context, choice: Choice) -> bool:
    loaded = own.workspace.load(choice.draft)
    try:
        own.workspace.plan(choice, loaded)
    except UsageError:
        return False
    return True
