"""`clipform verify`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    draft: arguments.Draft = False,
    provenance: Annotated[
        bool, typer.Option("--provenance", help="Look for the marks that the project asks for, and nothing else.")
    ] = False,
) -> None:
    """Compare all stored and placed videos with the records.

    It reads every file in full. If the project requires marks (provenance), it looks for them too.

    Exit codes: 0 no problem found, 1 unreadable state, 3 something is missing, damaged, edited or not marked.
    """
    app: Context = context.obj
    checks = app.project.verify(draft=draft, provenance=provenance)
    app.view.checks(checks)
    if not all(check.ok for check in checks):
        raise typer.Exit(3)
