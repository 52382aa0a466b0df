"""`clipform apply`"""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.diagnostics import UsageError
from reconciler.next_command import place


def run(
    context: typer.Context,
    clips: Annotated[
        list[str] | None, typer.Argument(metavar="[CLIP]... | PLANFILE", help="Clips to apply, or a saved plan.")
    ] = None,
    exclude: arguments.Exclude = None,
    yes: arguments.Yes = False,
    force: Annotated[
        list[str] | None, typer.Option(metavar="CLIP", help="Move your own file at this clip's output aside.")
    ] = None,
    max_cost: Annotated[str | None, typer.Option(metavar="N", help="Refuse a plan that costs more.")] = None,
    locked: Annotated[
        bool, typer.Option("--locked", help="Refuse what asks a provider or changes clipform.lock.")
    ] = False,
    draft: Annotated[bool, typer.Option("--draft", help="Make free drafts under drafts/.")] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Submit and exit; a later apply downloads the results.")
    ] = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first failure.")] = False,
    timeout: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Stop waiting after this time, such as 90s, 10m or 2h.")
    ] = None,
    trust: arguments.Trust = False,
) -> None:
    """Generate, restore and remove videos to match the spec.

    It generates what is new or changed, restores stored videos and removes what is no longer declared.

    Tasks that run when the time of --timeout is over stay at the provider, and the next apply collects them.

    Exit codes: 0 done, 1 invalid spec, 3 some clips failed, are blocked or were left by --timeout, 4 refused to
    spend, 5 another process holds the state, 64 wrong command line, 130 interrupted.
    """
    from reconciler import Choice
    from reconciler.cli.parsing import amount, plan_file, seconds

    app: Context = context.obj
    saved = plan_file(app.directory, clips or [], lambda name: _means_clips(app, name, draft=draft))
    choice = Choice(tuple(clips or ()), tuple(exclude or ()), tuple(force or ()), draft, shows=True)
    if saved is not None:
        app.use_overlay(saved.overlay)
    place(app.options.directory, draft=(saved.choice if saved else choice).draft, overlay=app.options.overlay.options())
    summary = app.project.apply_confirmed(
        app.directory / (clips or [""])[0] if saved else choice,
        partial(app.confirm, yes=yes or saved is not None, question="Apply this plan?"),
        max_cost=amount(max_cost),
        timeout=seconds(timeout, "--timeout"),
        locked=locked,
        detach=detach,
        fail_fast=fail_fast,
        trust=trust,
    )
    app.view.summary(summary)
    if summary.exit_code == 0 and not app.workspace.unshared:
        app.seal(summary.elapsed)
    raise typer.Exit(summary.exit_code)


def _means_clips(app: Context, name: str, *, draft: bool) -> bool:
    try:
        app.project.look(name, draft=draft, whole=True)
    except UsageError:
        return False
    return True
