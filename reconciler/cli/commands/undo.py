"""`clipform undo`"""

from __future__ import annotations

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(context: typer.Context, clip: arguments.ClipOrTake, draft: arguments.Draft = False) -> None:
    """Go back to the version before. Writes its fields into the clip's YAML; costs nothing.

    The next apply restores its video. Run it again to go back further. A matrix clip goes back as a whole, or one
    combination of it.

    Exit codes: 0 done, 1 the spec is invalid, there is no earlier version, or a field of it cannot be written, 64 no
    such clip.
    """
    from reconciler.cli.parsing import clip_and_take, only_one
    from reconciler.views import format

    app: Context = context.obj
    pattern, take = clip_and_take(clip)
    result = app.project.undo(only_one(pattern, app.project.names(pattern, whole=True)), take, draft=draft)
    text = format.undone(result.name, result.steps, result.file, result.fields, result.version.since)
    app.view.note(text, result.data())
