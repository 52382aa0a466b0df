"""`clipform init`"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.context import Context
from reconciler.next_command import command, place, quote


def run(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Project folder; by default the current one.")
    ] = None,
) -> None:
    """Create a small example project.

    It applies as is, without an account or network.

    Exit codes: 0 done, 1 the folder already has a project.
    """
    from reconciler.engine.operations.init import write_project

    app: Context = context.obj
    target = os.path.join(app.options.directory or "", folder or "")
    place(target or None, draft=False)
    written = write_project(app.directory / (folder or "."))
    place(None, draft=False)
    steps = [f"cd {quote(target)}"] if target else []
    text = f"Wrote {', '.join(written)}.\nNext: {' && '.join([*steps, command('apply')])}"
    app.view.note(text, {"written": list(written)})
