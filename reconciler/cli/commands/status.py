"""`clipform status`"""

from __future__ import annotations

from typing import Annotated

from reconciler.cli.context import Context
from reconciler.cli.deferred import arguments, typer
from reconciler.cli.pictures import show_pictures


def run(
    context: typer.Context,
    clips: arguments.Clips = None,
    draft: arguments.Draft = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Keep running and refresh on changes; q or Ctrl-C quits.")
    ] = False,
) -> None:
    """Show the state, cost, age and output of each clip.

    With --watch the table follows the files and the state, also while another process applies. It only reads and never
    locks the state. With --json it prints one document per change, each on one line.

    Exit codes: 0 done, 1 invalid spec, 64 wrong command line, 130 stopped with Ctrl-C (--watch).
    """
    from reconciler.views.status import status

    app: Context = context.obj
    if watch:
        from reconciler import Choice
        from reconciler.watch.status_loop import StatusLoop

        choice = Choice(tuple(clips or ()), draft=draft, look=True)
        raise typer.Exit(StatusLoop(app.workspace, choice, app.view, app.keyboard).run())
    planned = app.project.look(*(clips or ()), draft=draft)
    app.view.status(status(planned, app.clock.now()), app.access.offline())
    show_pictures(app, planned, draft=draft, picked=True)
