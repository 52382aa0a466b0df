"""`clipform watch`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.diagnostics import UsageError


def run(
    context: typer.Context,
    clips: arguments.Clips = None,
    draft: Annotated[bool, typer.Option("--draft", help="Make free drafts under drafts/ as you edit.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Also remove what is no longer declared, and pay up to --max-cost.")
    ] = False,
    max_cost: Annotated[str | None, typer.Option(metavar="N", help="Most that the session may cost.")] = None,
    ui: Annotated[bool, typer.Option("--ui", help="Also show the gallery in the browser.")] = False,
    port: arguments.Port = None,
    open_: arguments.Open = True,
    trust: arguments.Trust = False,
) -> None:
    """Plan again at each save.

    It runs free steps at once, and paid ones only on a key press.

    Moving and restoring files is free, and so are drafts. Keys: a applies the plan on the screen, s skips it, q quits.
    With --yes and --max-cost, steps that fit under the cap are paid for without a key press.

    A network file system does not report changes made on other machines: set WATCHFILES_FORCE_POLLING=1 there.

    Exit codes: 0 ended with q, 1 no project or it cannot be watched, 4 the project is not trusted, 64 wrong command
    line, 130 interrupted.
    """
    from reconciler import Choice
    from reconciler.cli.parsing import amount
    from reconciler.watch import Allowance, Watch, WatchContext

    if (port is not None or not open_) and not ui:
        raise UsageError("--port and --no-open need the gallery", help="add --ui")
    app: Context = context.obj
    choice = Choice(tuple(clips or ()), draft=draft, shows=True)
    terms = Allowance(yes, amount(max_cost))
    app.require_trust_to_start(draft=draft, trust=trust)
    if ui:
        from reconciler.cli.gallery import run_with_gallery

        raise typer.Exit(run_with_gallery(app, choice, terms, port=port, browse=open_))
    raise typer.Exit(
        Watch(WatchContext(app.workspace, choice, terms, app.view, app.access.connect, app.keyboard)).run()
    )
