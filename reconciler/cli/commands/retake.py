"""`clipform retake`"""

from __future__ import annotations

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.next_command import command


def run(context: typer.Context, clip: arguments.ClipOrTake) -> None:
    """Ask for another variation. Raises `retake` in the clip's YAML, so git shows the change; costs nothing yet.

    CLIP#2 asks for take 2 again; the other takes stay as they are.

    Exit codes: 0 done, 1 the spec is invalid or cannot be edited, 64 no such clip or take.
    """
    from reconciler.cli.parsing import clip_and_take

    app: Context = context.obj
    pattern, take = clip_and_take(clip)
    for name in app.project.names(pattern, whole=True):
        edit = app.project.retake(name, take)
        app.view.note(f"{edit.text()} {command('apply')} generates it.", edit.data())
