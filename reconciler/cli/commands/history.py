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
    draft: arguments.Draft = False,
) -> None:
    """Show the event log of all clips or of one, oldest first.

    Exit codes: 0 done, 1 unreadable state or spec, 64 no such clip.
    """
    from reconciler.cli.parsing import named_clips, require_named
    from reconciler.views.history import history

    app: Context = context.obj
    names = (None,) if clip is None else named_clips(app.workspace, clip)
    events = (entry for name in names for entry in app.workspace.events(draft, name, limit))
    entries = sorted(events, key=lambda entry: entry.seq)[-limit:]
    if clip is not None and names == (clip,) and not entries:
        require_named(app.workspace.load(draft), clip)
    app.view.history(history(entries))
