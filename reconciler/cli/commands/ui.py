"""`clipform ui`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clips: arguments.Clips = None,
    draft: Annotated[bool, typer.Option("--draft", help="Show the free drafts under drafts/.")] = False,
    port: arguments.Port = None,
    open_: arguments.Open = True,
    trust: arguments.Trust = False,
) -> None:
    """Show every clip live in the browser.

    It runs only what you click. The address contains a token: anyone who has it can spend your money. The server
    accepts connections from this machine only and runs until Ctrl-C.

    Exit codes: 0 ended with q, 1 no project or the port cannot be used, 4 the project is not trusted, 64 wrong command
    line, 130 interrupted.
    """
    from reconciler import Choice
    from reconciler.cli.gallery import run_with_gallery
    from reconciler.watch import Allowance

    app: Context = context.obj
    choice = Choice(tuple(clips or ()), draft=draft, shows=True)
    app.require_trust_to_start(draft=draft, trust=trust)
    raise typer.Exit(run_with_gallery(app, choice, Allowance(on_request=True), port=port, browse=open_))
