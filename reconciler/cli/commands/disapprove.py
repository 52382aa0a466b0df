"""`clipform disapprove`"""

from __future__ import annotations

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(context: typer.Context, clip: arguments.ClipPattern) -> None:
    """Take back the approval of a clip. What was bought stays.

    It removes the clip's lines from clipform.approvals.

    Exit codes: 0 done, 1 the spec is invalid, 64 no such clip.
    """
    from reconciler.views import approved

    app: Context = context.obj
    lines = app.project.disapprove(app.project.names(clip))
    app.view.note(approved.removed(clip, lines), {"disapproved": [approved.line_data(line) for line in lines]})
