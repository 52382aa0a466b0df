"""`clipform show`"""

from __future__ import annotations

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context
from reconciler.cli.pictures import show_pictures


def run(context: typer.Context, clip: arguments.ClipName, draft: arguments.Draft = False) -> None:
    """Show one clip in full.

    It shows its inputs, each take, its stored file and its task.

    Exit codes: 0 done, 1 invalid spec, 64 no such clip.
    """
    from reconciler.cli.parsing import one_clip
    from reconciler.project.model import Choice
    from reconciler.project.shared_state import offline_warning
    from reconciler.views.show import show

    app: Context = context.obj
    workspace = app.workspace
    planned = workspace.plan(Choice((clip,), draft=draft, look=True), workspace.load(draft))
    root = workspace.objects(draft).root.relative_to(workspace.root).as_posix()
    app.view.show(*show(one_clip(clip, planned.plan), planned, root), offline_warning(workspace.as_of))
    show_pictures(app, planned, draft=draft, picked=False)
