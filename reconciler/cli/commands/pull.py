"""`clipform pull`"""

from __future__ import annotations

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clips: arguments.Clips = None,
    exclude: arguments.Exclude = None,
    trust: arguments.Trust = False,
) -> None:
    """Fetch missing videos from the shared cache and place them. It buys nothing.

    It needs clipform.lock and may only read there: a clone rebuilds every output, byte for byte. A video whose content
    is not what clipform.lock names is not placed.

    Exit codes: 0 done, 1 invalid spec or no shared cache, 3 some videos could not be fetched, 4 not trusted,
    5 another process holds the state, 64 wrong command line, 130 interrupted.
    """
    from reconciler import Choice

    app: Context = context.obj
    summary = app.project.pull(Choice(tuple(clips or ()), tuple(exclude or ())), trust=trust)
    if summary is None:
        app.view.note("Nothing to pull.", {"outcomes": []})
        return
    app.view.summary(summary)
    raise typer.Exit(summary.exit_code)
