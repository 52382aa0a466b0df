"""`clipform history`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clip: Annotated[str | None, typer.Argument(metavar="[CLIP]")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest events.")] = 200,
    draft: Annotated[bool, typer.Option("--draft", help="Of the drafts.")] = False,
) -> None:
    """Show the event log, of everything or of one clip, oldest first.

    Exit codes: 0 done, 1 the state cannot be read.
    """
    from reconciler.state.store import Store
    from reconciler.views.rows import history

    own: Context = context.obj
    store = Store.read(own.workspace.state_dir(draft), own.clock.now)
    if store is None:
        own.view.history([])
        return
    with store:
        own.view.history(history(store.events(clip, limit)))
