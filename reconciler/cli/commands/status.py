"""`clipform status`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clips: Annotated[list[str] | None, typer.Argument(metavar="[CLIP]...")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Of the drafts.")] = False,
) -> None:
    """Show each clip: its state, cost, age and output.

    Exit codes: 0 done, 1 the spec is wrong, 64 wrong command line.
    """
    from reconciler.engine.workspace import Choice
    from reconciler.views.rows import status

    own: Context = context.obj
    choice = Choice(tuple(clips or ()), draft=draft)
    planned = own.workspace.plan(choice, own.workspace.load(draft))
    own.view.status(status(planned, own.clock.now()))
