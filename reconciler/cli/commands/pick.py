"""`clipform pick`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    clip: Annotated[str, typer.Argument(metavar="CLIP")],
    take: Annotated[int, typer.Argument(metavar="N", min=1)],
) -> None:
    """Choose the take that goes to the output: sets `pick` of the clip in its YAML, so that git shows it.

    Exit codes: 0 done, 1 the spec is wrong or cannot be edited, 64 no such clip or take.
    """
    from reconciler.engine.operations.edit_spec import pick

    own: Context = context.obj
    edit = pick(own.workspace, clip, take)
    own.view.note(f"{edit.file}: pick of {edit.clip} is now {edit.value}. clipform apply places it.", edit.data())
