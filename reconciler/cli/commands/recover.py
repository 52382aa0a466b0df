"""`clipform recover`"""

from __future__ import annotations

import typer

from reconciler.cli import arguments
from reconciler.cli.context import Context


def run(context: typer.Context, trust: arguments.Trust = False) -> None:
    """Rebuild a lost or damaged state.

    Its sources are receipts, clipform.lock, stored videos and the providers' task lists. It buys nothing and deletes
    nothing. It asks only before it sends anything for a project that is not trusted.
    It prints what it found for each clip, and can be run again.

    Exit codes: 0 everything is accounted for, 1 invalid spec or lock file, 3 some clips need a decision, 4 not
    confirmed, 5 another process holds the state.
    """
    app: Context = context.obj
    checks = app.project.recover(trust=trust)
    app.view.checks(checks)
    if not all(check.ok for check in checks):
        raise typer.Exit(3)
