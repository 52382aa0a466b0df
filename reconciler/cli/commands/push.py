"""`clipform push`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clips: arguments.Clips = None,
    exclude: arguments.Exclude = None,
    again: Annotated[
        bool, typer.Option("--again", help="Look at each of them in the cache, as if for the first time.")
    ] = False,
    trust: arguments.Trust = False,
) -> None:
    """Put the videos of this working copy into the shared cache.

    Earlier versions go there too, since clipform.lock of an earlier commit names them. A video that was seen there is
    not sent again, and without one to send nothing is asked.

    Exit codes: 0 done, 1 invalid spec or no shared cache, 3 some videos could not be shared, 4 not trusted,
    5 another process holds the state, 64 wrong command line.
    """
    from reconciler import Choice
    from reconciler.diagnostics import Finding

    app: Context = context.obj
    pushed = app.project.push(Choice(tuple(clips or ()), tuple(exclude or ())), again=again, trust=trust)
    if pushed.errors:
        app.view.checks([Finding("shared cache", False, error.message, error.help) for error in pushed.errors])
        raise typer.Exit(3)
    text = f"Shared {pushed.count} video{'' if pushed.count == 1 else 's'}." if pushed.count else "Nothing to push."
    app.view.note(text, {"pushed": pushed.count})
