"""`clipform validate`"""

from __future__ import annotations

import typer

from reconciler.cli.context import Context


def run(context: typer.Context) -> None:
    """Read everything, report every problem, touch nothing.

    Exit codes: 0 valid, 1 not.
    """
    own: Context = context.obj
    loaded = own.workspace.load()
    own.view.valid(len(loaded.project.clips), len(loaded.project.files), loaded.warnings)
