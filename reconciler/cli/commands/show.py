"""`clipform show`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clip: Annotated[str, typer.Argument(metavar="CLIP")],
    draft: Annotated[bool, typer.Option("--draft", help="Of the drafts.")] = False,
) -> None:
    """Show one clip whole: what it is made from, each take, its file in the store, what is known of its task.

    Exit codes: 0 done, 1 the spec is wrong, 64 no such clip.
    """
    from reconciler.cli.parsing import one_clip
    from reconciler.project.model import Choice
    from reconciler.views.show import show

    own: Context = context.obj
    workspace = own.workspace
    planned = workspace.plan(Choice((clip,), draft=draft), workspace.load(draft))
    root = workspace.objects(draft).root.relative_to(workspace.root).as_posix()
    own.view.show(*show(one_clip(clip, planned.plan), planned, root))
