"""`clipform verify`"""

from __future__ import annotations

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(context: typer.Context, draft: arguments.Draft = False) -> None:
    """Compare all stored and placed videos with the records.

    It reads every file in full.

    Exit codes: 0 no problem found, 1 unreadable state, 3 something is missing, damaged or edited.
    """
    from reconciler.engine.operations.verify import verify

    app: Context = context.obj
    checks = list(verify(app.workspace, draft))
    app.view.checks(checks)
    if not all(check.ok for check in checks):
        raise typer.Exit(3)
