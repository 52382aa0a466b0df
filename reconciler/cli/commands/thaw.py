"""`clipform thaw`"""

from __future__ import annotations

from functools import partial

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clip: arguments.ClipPattern,
    yes: arguments.Yes = False,
) -> None:
    """Let a frozen seam follow the clip before it again. Shows what that costs, and asks, before it writes the YAML.

    Exit codes: 0 done, 1 the spec is invalid or cannot be edited, 4 not confirmed, 64 no such clip or seam.
    """
    from reconciler.views import seams

    app: Context = context.obj
    for name in app.project.names(clip, whole=True):
        confirm = partial(app.confirm, yes=yes, question=f"Let {name} follow again?")
        app.view.note(*seams.thawed(*app.project.thaw(name, confirm)))
