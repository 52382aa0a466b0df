"""`clipform watch`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context
from reconciler.diagnostics import UsageError


def run(
    context: typer.Context,
    clips: Annotated[
        list[str] | None, typer.Argument(metavar="[CLIP]...", help="Names, globs, tag:, is:, +NAME, NAME+.")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="A free animatic under drafts/, as you type.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Also remove what is no longer declared; pay up to --max-cost.")
    ] = False,
    max_cost: Annotated[str | None, typer.Option(metavar="N", help="The most that the session may cost.")] = None,
    ui: Annotated[bool, typer.Option("--ui", help="Show the gallery in the browser beside it.")] = False,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Of the gallery; 0: any free one.")] = None,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the browser.")] = True,
) -> None:
    """Plan again at each save; make what is free at once, and pay on a key press only.

    Free is moving and restoring files, and every draft. Keys: a applies the plan on the screen, s skips it, q quits.
    With --yes and --max-cost, what fits under the cap is paid for without a key.

    A network file system does not tell what other machines save: there, set WATCHFILES_FORCE_POLLING=1.

    Exit codes: 0 ended with q, 1 the project cannot be found or watched, 64 wrong command line, 130 interrupted.
    """
    from reconciler.cli.parsing import amount
    from reconciler.project.model import Choice
    from reconciler.watch import Allowance, Watch, WatchContext

    if (port is not None or not open_) and not ui:
        raise UsageError("--port and --no-open are for the gallery", help="add --ui")
    own: Context = context.obj
    choice = Choice(tuple(clips or ()), draft=draft)
    terms = Allowance(yes, amount(max_cost))
    if ui:
        from reconciler.cli.gallery import run_with_gallery

        raise typer.Exit(run_with_gallery(own, choice, terms, port=port, browse=open_))
    raise typer.Exit(Watch(WatchContext(own.workspace, choice, terms, own.view, own.connect, own.keyboard)).run())
