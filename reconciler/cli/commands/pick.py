"""`clipform pick`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.next_command import command


def run(
    context: typer.Context,
    clip: arguments.ClipPattern,
    take: Annotated[int, typer.Argument(metavar="N", min=1, help="Take number.")],
) -> None:
    """Choose the take to place at the output. Sets `pick` in the clip's YAML, so git shows the change.

    Exit codes: 0 done, 1 the spec is invalid or cannot be edited, 64 no such clip or take.
    """
    app: Context = context.obj
    for name in app.project.names(clip, whole=True):
        edit = app.project.pick(name, take)
        app.view.note(f"{edit.text()} {command('apply')} places it.", edit.data())
