"""`clipform ui`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clips: Annotated[
        list[str] | None, typer.Argument(metavar="[CLIP]...", help="Names, globs, tag:, is:, +NAME, NAME+.")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="The free animatic under drafts/.")] = False,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0: any free one.")] = None,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the browser.")] = True,
) -> None:
    """Show the gallery in the browser: every clip live, and only what is clicked is done.

    The address holds a token: whoever has it may spend as you may. It is answered on this machine only, until Ctrl-C.

    Exit codes: 0 ended with q, 1 the project cannot be found or the port used, 64 wrong command line, 130 interrupted.
    """
    from reconciler.cli.gallery import run_with_gallery
    from reconciler.project.model import Choice
    from reconciler.watch import Allowance

    own: Context = context.obj
    choice = Choice(tuple(clips or ()), draft=draft)
    raise typer.Exit(run_with_gallery(own, choice, Allowance(on_request=True), port=port, browse=open_))
