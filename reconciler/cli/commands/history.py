"""`clipform history`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clip: Annotated[str | None, typer.Argument(metavar="[CLIP]", help="Only events of this clip.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Number of newest events to show.")] = 200,
    all: Annotated[bool, typer.Option("--all", help="Show every event of the log as it is stored.")] = False,
    draft: arguments.Draft = False,
) -> None:
    """Show what happened to all clips or to one, oldest first.

    --json gives every event, as --all does.

    Exit codes: 0 done, 1 unreadable state or spec, 64 no such clip.
    """
    from reconciler.views.history import history, raw

    app: Context = context.obj
    if all or app.options.json:
        app.view.history(raw(app.project.history(clip, limit=limit, draft=draft)))
    else:
        app.view.story(history(app.project.history(clip, draft=draft), limit))
