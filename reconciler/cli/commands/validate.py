"""`clipform validate`"""

from __future__ import annotations

import typer

from reconciler.cli.context import Context


def run(context: typer.Context) -> None:
    """Check all files and report every problem. Changes nothing.

    Exit codes: 0 valid, 1 invalid.
    """
    app: Context = context.obj
    loaded = app.workspace.recall()
    clips, files = {wanted.clip for wanted in loaded.wanted}, loaded.project.files
    app.view.valid(len(clips), len(loaded.wanted), len(files), loaded.warnings)
    app.seal()
