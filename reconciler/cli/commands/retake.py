"""`clipform retake`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(context: typer.Context, clip: Annotated[str, typer.Argument(metavar="CLIP")]) -> None:
    """Ask for a new variation: raises `retake` of the clip in its YAML, so that git shows it. Pays nothing by itself.

    Exit codes: 0 done, 1 the spec is wrong or cannot be edited, 64 no such clip.
    """
    from reconciler.engine.operations.edit_spec import retake

    own: Context = context.obj
    edit = retake(own.workspace, clip)
    own.view.note(f"{edit.file}: retake of {edit.clip} is now {edit.value}. clipform apply makes it.", edit.data())
