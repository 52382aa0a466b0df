"""`clipform history`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.context import Context

if TYPE_CHECKING:
    from reconciler.state.history import LogEntry


def run(
    context: typer.Context,
    clip: Annotated[str | None, typer.Argument(metavar="[CLIP]")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest events.")] = 200,
    draft: Annotated[bool, typer.Option("--draft", help="Of the drafts.")] = False,
) -> None:
    """Show the event log, of everything or of one clip, oldest first.

    Exit codes: 0 done, 1 the state or the spec cannot be read, 64 no such clip.
    """
    from reconciler.cli.parsing import require_named
    from reconciler.state.store import Store
    from reconciler.views.history import history

    own: Context = context.obj
    store = Store.read(own.workspace.state_dir(draft), own.clock.now)
    entries: list[LogEntry] = []
    if store is not None:
        with store:
            entries = store.events(clip, limit)
    if clip is not None and not entries:
        require_named(own.workspace.load(draft), clip)
    own.view.history(history(entries))
