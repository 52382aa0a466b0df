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
    from reconciler.cli.parsing import named_clips
    from reconciler.engine.operations.seams import freeze
    from reconciler.engine.run.session import open_session
    from reconciler.spec.problems import listed

    app: Context = context.obj
    for name in named_clips(app.workspace, clip, whole=True):
        with open_session(app.workspace, "freeze") as session:
            edit, was_made = freeze(session, name)
        keeps = "it keeps the frame that was sent" if was_made else "it keeps the first frame that is sent"
        text = (
            f"{edit.file}: the seam of {name} to {listed(edit.sources, 'and')} is frozen; {keeps}. Nothing is bought."
        )
        app.view.note(text, {"file": edit.file, "clip": name, "frozen": True, "from": list(edit.sources)})
