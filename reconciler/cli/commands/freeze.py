"""`clipform freeze`"""

from __future__ import annotations

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(context: typer.Context, clip: arguments.ClipPattern) -> None:
    """Keep the frame that a clip was made from, whatever the clip before it becomes. Costs nothing.

    Writes `seam: freeze` into the clip's YAML, and the version whose frame it keeps into clipform.lock: commit both.
    thaw lets it follow again.

    Exit codes: 0 done, 1 the spec is invalid or cannot be edited, 5 another process holds the state, 64 no such clip or
    seam.
    """
    from reconciler.views import seams

    app: Context = context.obj
    for name in app.project.names(clip, whole=True):
        app.view.note(*seams.frozen(*app.project.freeze(name)))
