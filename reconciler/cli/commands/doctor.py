"""`clipform doctor`"""

from __future__ import annotations

import typer

from reconciler.cli.context import Context


def run(context: typer.Context) -> None:
    """Check SQLite, the file system and its locks, free space, the clock, codecs, fonts and credentials.

    Exit codes: 0 all well, 3 something is not.
    """
    from reconciler.engine.health import checkup

    own: Context = context.obj
    found = list(checkup(own.workspace))
    own.view.checks(found)
    if not all(item.ok for item in found):
        raise typer.Exit(3)
