"""`clipform doctor`"""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(
    context: typer.Context,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask providers for time and balance, and check a shared state; free.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Also check providers that no clip uses.")] = False,
    trust: arguments.Trust = False,
) -> None:
    """Check this machine and the credentials.

    It checks SQLite, the file system and its locks, free space, the clock, codecs, fonts and credentials.

    Exit codes: 0 no problem found, 3 a check failed.
    """
    app: Context = context.obj
    checks = app.project.doctor(online=online, every=every, trust=trust)
    app.view.checks(checks)
    if not all(check.ok for check in checks):
        raise typer.Exit(3)
