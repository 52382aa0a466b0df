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
    from reconciler.cli.parsing import named_clips, require_named
    from reconciler.views.history import history, raw

    app: Context = context.obj
    names = (None,) if clip is None else named_clips(app.workspace, clip)
    is_raw = all or app.options.json
    events = (entry for name in names for entry in app.workspace.events(draft, name, limit if is_raw else None))
    entries = sorted(events, key=lambda entry: entry.seq)
    if clip is not None and names == (clip,) and not entries:
        require_named(app.workspace.load(draft), clip)
    if is_raw:
        app.view.history(raw(entries[-limit:]))
    else:
        app.view.story(history(entries, limit))
