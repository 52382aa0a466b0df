"""`clipform status`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clips: Annotated[
        list[str] | None, typer.Argument(metavar="[CLIP]...", help="Names, globs, tag:, is:, +NAME, NAME+.")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Of the drafts.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Stay, and show what changes, until q or Ctrl-C.")
    ] = False,
) -> None:
    """Show each clip: its state, cost, age and output.

    With --watch the table follows the files and the state, also while another process applies. It only reads, and never
    holds the state. With --json that is one document for each change, a line each.

    Exit codes: 0 done, 1 the spec is wrong, 64 wrong command line, 130 ended with Ctrl-C (--watch).
    """
    from reconciler.project.model import Choice
    from reconciler.views.status import status

    own: Context = context.obj
    choice = Choice(tuple(clips or ()), draft=draft)
    if watch:
        from reconciler.watch.status_loop import StatusLoop

        raise typer.Exit(StatusLoop(own.workspace, choice, own.view, own.keyboard).run())
    planned = own.workspace.plan(choice, own.workspace.load(draft))
    own.view.status(status(planned, own.clock.now()))
