"""`clipform init`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.context import Context


def run(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="Where; here if not said.")] = None,
) -> None:
    """Start a small project that applies as it is, with no account and no network.

    Exit codes: 0 done, 1 there is a project already.
    """
    from reconciler.engine.operations.init import write_project

    own: Context = context.obj
    written = write_project(own.directory / (folder or "."))
    own.view.note(f"Wrote {', '.join(written)}.\nNext: clipform apply", {"written": list(written)})
