"""`clipform verify`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    draft: Annotated[bool, typer.Option("--draft", help="Of the drafts.")] = False,
) -> None:
    """Read every artifact and every placed output again and compare with what is on record.

    Exit codes: 0 all sound, 1 the state cannot be read, 3 something is missing, damaged or edited.
    """
    from reconciler.engine.operations.verify import verify

    own: Context = context.obj
    found = list(verify(own.workspace, draft))
    own.view.checks(found)
    if not all(item.ok for item in found):
        raise typer.Exit(3)
