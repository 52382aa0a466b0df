"""`clipform validate`"""

from __future__ import annotations

from reconciler.cli.context import Context
from reconciler.cli.deferred import typer


def run(context: typer.Context) -> None:
    """Check all files and report every problem. Changes nothing.

    Exit codes: 0 valid, 1 invalid.
    """
    app: Context = context.obj
    checked = app.project.validate()
    app.view.valid(checked.clips, checked.takes, checked.files, checked.warnings)
    app.seal()
